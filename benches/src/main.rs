//! Measurements of fraiseql against what people write by hand.
//!
//! `cargo run --release -p benches -- sync` compares ways to keep documents up to date, all
//! on one server and in one run: alternating, after a warm-up, medians and ratios.
//! `-- verify` compares verifying them with a full sync.
//! `-- derive` measures what the derives cost at compile time.

mod blog;
mod derive;
mod measure;
mod plot;
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
    /// Verifying documents, beside a full sync.
    Verify(verify::Options),
    /// Compiling views.
    Derive(derive::Options),
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Sync(options) => sync::run(options).await,
        Command::Verify(options) => verify::run(options).await,
        Command::Derive(options) => derive::run(&options),
    }
}
