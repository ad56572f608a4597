//! Measurements of fraiseql against what people write by hand.
//!
//! `cargo run --release -p benches -- sync` compares ways to keep documents up to date, all
//! on one server and in one run: alternating, after a warm-up, medians and ratios.
//! `-- mutation` changes a row that many documents embed. `-- verify` compares verifying documents
//! with a full sync. `-- select` writes selected fields of documents. `-- list` leaves keys out of
//! documents in the database, or sends them whole. `-- graphql` answers queries beside
//! async-graphql's own objects. `-- derive` measures what the derives cost at compile time.
//! `-- stress` tries to lose an update. `-- serve` sends requests to a server of documents, and to
//! servers of others.

mod blog;
mod derive;
mod graphql;
mod list;
mod measure;
mod mutation;
mod plot;
mod select;
mod serve;
mod stress;
mod sync;
mod verify;

use clap::{Parser, Subcommand};

/// Measurements of fraiseql against what people write by hand.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Syncing documents: in batches, and all of them.
    Sync(sync::Options),
    /// One row that many documents embed.
    Mutation(mutation::Options),
    /// Selecting fields of documents, beside other ways to read JSON.
    Select(select::Options),
    /// Everything at once, and whether any update is lost.
    Stress(stress::Options),
    /// Verifying documents, beside a full sync.
    Verify(verify::Options),
    /// GraphQL requests in this process.
    Graphql(graphql::Options),
    /// Requests to our server, beside its peers.
    Serve(serve::Options),
    /// One of the servers of `serve`, which starts it.
    #[command(hide = true)]
    ServePeer(serve::PeerOptions),
    /// Leaving keys out of documents that are read.
    List(list::Options),
    /// Compiling views.
    Derive(derive::Options),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        // It has runtimes of its own.
        Command::ServePeer(options) => serve::peer(&options),
        command => tokio::runtime::Runtime::new()?.block_on(run(command)),
    }
}

async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Sync(options) => sync::run(options).await,
        Command::Mutation(options) => mutation::run(options).await,
        Command::Select(options) => select::run(options).await,
        Command::Stress(options) => stress::run(options).await,
        Command::Verify(options) => verify::run(options).await,
        Command::Graphql(options) => graphql::run(options).await,
        Command::Serve(options) => serve::run(options).await,
        Command::ServePeer(options) => serve::peer(&options),
        Command::List(options) => list::run(options).await,
        Command::Derive(options) => derive::run(&options),
    }
}
