//! Benchmarks of fraiseql against hand-written code and other servers.
//!
//! `cargo run --release -p benches -- <command>`. The contenders of a command run on one server and
//! in one run: alternating, after a warm-up. The results are medians and ratios.
//!
//! | command | |
//! |---|---|
//! | `sync` | batches and full syncs, against hand-written statements |
//! | `mutation` | a comment that changes three documents, and one row that many documents embed |
//! | `capture` | triggers that record changes, workers, and documents synced at the commit |
//! | `verify` | verifying documents, against a full sync |
//! | `select` | writing selected fields of documents, against JSON libraries |
//! | `list` | omitting keys of documents in the database, against sending them whole |
//! | `graphql` | GraphQL requests in this process, against async-graphql objects |
//! | `derive` | compile time of the derives |
//! | `stress` | concurrent clients, and a search for lost updates |
//! | `race` | two processes that meet in thousands of rounds, and a search for lost updates |
//! | `orders` | the queries, commands and syncs of the order service |
//! | `replicas` | reads on streaming replicas: after own writes, on several replicas, and their cost |
//! | `storage` | view tables, live views and materialized views under five loads, and the advice |
//! | `tenants` | lists of one tenant among many, by the number of documents |
//! | `pooler` | what PgBouncer costs, and statements that are not kept prepared |
//! | `live` | subscriptions: the cost of a write, the time until a change is there, many subscribers |
//! | `serve` | HTTP requests to a fraiseql server and to other servers |

mod blog;
mod capture;
mod derive;
mod graphql;
mod list;
mod live;
mod measure;
mod mutation;
mod orders;
mod plot;
mod pooler;
mod race;
mod replicas;
mod select;
mod serve;
mod storage;
mod stress;
mod sync;
mod tenants;
mod verify;

use clap::{Parser, Subcommand};

/// Benchmarks of fraiseql against hand-written code and other servers.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Sync documents: batches of several sizes, and all documents.
    Sync(sync::Options),
    /// Add a comment, and change one row that many documents embed.
    Mutation(mutation::Options),
    /// Capture changes: the cost of triggers, and how far documents are behind.
    Capture(capture::Options),
    /// Write selected fields of documents, compared with JSON libraries.
    Select(select::Options),
    /// Change everything concurrently, and search for lost updates.
    Stress(stress::Options),
    /// Run one of the workers of `stress --capture`.
    #[command(hide = true)]
    StressWorker(stress::WorkerOptions),
    /// Let two processes change the same documents, and search for lost updates.
    Race(race::Options),
    /// Run one of the processes of `race`.
    #[command(hide = true)]
    RaceWorker(race::WorkerOptions),
    /// Verify documents, compared with a full sync.
    Verify(verify::Options),
    /// Execute GraphQL requests in this process.
    Graphql(graphql::Options),
    /// Follow documents that change.
    Live(live::Options),
    /// Send requests to a fraiseql server and to other servers.
    Serve(serve::Options),
    /// Run one of the servers of `serve`.
    #[command(hide = true)]
    ServePeer(serve::PeerOptions),
    /// Measure the queries, commands and syncs of the order service.
    Orders(orders::Options),
    /// Read on streaming replicas, after own writes and without.
    Replicas(replicas::Options),
    /// Compare the storages of a view under five loads.
    Storage(storage::Options),
    /// Read one tenant among many, by the number of documents.
    Tenants(tenants::Options),
    /// Omit keys of documents in the database.
    List(list::Options),
    /// Measure what PgBouncer costs, and statements that are not kept prepared.
    Pooler(pooler::Options),
    /// Measure the compile time of the derives.
    Derive(derive::Options),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        // It starts its own tokio runtimes, one for each thread.
        Command::ServePeer(options) => serve::peer(&options),
        command => tokio::runtime::Runtime::new()?.block_on(run(command)),
    }
}

async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Sync(options) => sync::run(options).await,
        Command::Mutation(options) => mutation::run(options).await,
        Command::Capture(options) => capture::run(options).await,
        Command::Select(options) => select::run(options).await,
        Command::Stress(options) => stress::run(options).await,
        Command::StressWorker(options) => stress::worker(options).await,
        Command::Race(options) => race::run(options).await,
        Command::RaceWorker(options) => race::worker(options).await,
        Command::Verify(options) => verify::run(options).await,
        Command::Graphql(options) => graphql::run(options).await,
        Command::Live(options) => live::run(options).await,
        Command::Serve(options) => serve::run(options).await,
        Command::ServePeer(options) => serve::peer(&options),
        Command::Orders(options) => orders::run(options).await,
        Command::Replicas(options) => replicas::run(options).await,
        Command::Storage(options) => storage::run(options).await,
        Command::Tenants(options) => tenants::run(options).await,
        Command::List(options) => list::run(options).await,
        Command::Pooler(options) => pooler::run(options).await,
        Command::Derive(options) => derive::run(&options),
    }
}
