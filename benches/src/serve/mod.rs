//! A fraiseql server compared with other servers: the same requests over loopback, on one database
//! and in one run. Each server is a process.
//!
//! | module | |
//! |---|---|
//! | `contender`, `operation` | what is compared, and the requests |
//! | `database`, `views` | the rows and documents |
//! | `peer`, `node`, `process` | the servers, PostGraphile's installation, and starting them |
//! | `rival`, `load`, `rounds` | a running contender, the load generator, the order of rounds |
//! | `renamed` | the check of documents after writes |
//! | `raw` | PostgreSQL alone, with `pgbench` |
//! | `write` | the write side, without servers |
//! | `measure`, `report`, `plot` | figures, tables, the plot |
//!
//! `benches/peers/README.md` describes the method, and what is fair and what is not.

mod contender;
mod database;
mod load;
mod measure;
mod node;
mod operation;
mod peer;
mod plot;
mod process;
mod progress;
mod raw;
mod renamed;
mod report;
mod rival;
mod rounds;
mod views;
mod write;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::ValueEnum as _;

pub(crate) use self::peer::{PeerOptions, peer};

use self::contender::Contender;
use self::database::Database;
use self::operation::Operation;
use self::report::Report;
use crate::blog::Size;

/// Options of `serve`.
///
/// Each contender is a separate server. In each round, every contender in turn gets the same requests
/// for some seconds, from several clients with one request at a time. Before that, their responses
/// are compared.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    size: Size,
    /// Measured rounds, after one to warm up.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Duration of each contender's turn in a round.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Numbers of concurrent clients.
    #[arg(long, value_delimiter = ',', default_value = "1,16")]
    clients: Vec<usize>,
    /// Connections to PostgreSQL of each server. With two for each client, fraiseql sends a statement for each request.
    #[arg(long, default_value_t = 8)]
    connections: u32,
    /// Operations to run; by default all.
    #[arg(long, value_delimiter = ',')]
    operations: Vec<Operation>,
    /// Run only these contenders.
    #[arg(long, value_delimiter = ',')]
    only: Vec<Contender>,
    /// Run without these contenders.
    #[arg(long, value_delimiter = ',')]
    without: Vec<Contender>,
    /// Requests to servers, the write side without a server, or both.
    #[arg(long, value_delimiter = ',', default_value = "requests,write")]
    sides: Vec<Side>,
    /// Number of posts on the write side, with ten comments each.
    #[arg(long, default_value_t = 100_000)]
    posts_mv: i32,
    /// Run briefly with few rows, as a smoke test. PostGraphile is included if it is installed.
    #[arg(long)]
    quick: bool,
    /// Write the figures into this file as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Draw the throughput into this SVG file.
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
}

/// A part of the benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Side {
    Requests,
    Write,
}

impl Options {
    fn contenders(&self) -> Vec<Contender> {
        let is_in = |one: &Contender| self.only.is_empty() || self.only.contains(one);
        let all = Contender::value_variants().iter().copied();
        all.filter(is_in)
            .filter(|one| !self.without.contains(one) && !self.without.contains(&one.alias()))
            .collect()
    }

    fn operations(&self) -> Vec<Operation> {
        let all = Operation::value_variants().iter().copied();
        all.filter(|one| self.operations.is_empty() || self.operations.contains(one))
            .collect()
    }

    fn make_quick(&mut self) {
        self.size = Size {
            users: 100,
            posts: 500,
            comments: 5_000,
        };
        self.posts_mv = 500;
        self.rounds = 1;
        self.seconds = 0.1;
        self.clients = vec![1, 4];
    }

    fn time(&self) -> Duration {
        Duration::from_secs_f64(self.seconds.clamp(0.01, 3600.0))
    }
}

pub(crate) async fn run(mut options: Options) -> anyhow::Result<()> {
    if options.quick {
        options.make_quick();
    }
    let mut report = Report::default();
    if options.sides.contains(&Side::Requests) {
        let clients = options.clients.iter().copied().max().unwrap_or(1);
        eprintln!("loading {:?}", options.size);
        let contenders = options.contenders();
        let database = Database::load(options.size, clients, &contenders).await?;
        let cells = rounds::run(&options, &database).await?;
        report = Report::new(&database, options.size, cells);
        if let Some(path) = &options.plot {
            plot::throughput(path, &report.cells).context("drawing the plot")?;
        }
    }
    if options.sides.contains(&Side::Write) {
        let size = Size {
            users: (options.posts_mv / 10).max(2),
            posts: options.posts_mv,
            comments: options.posts_mv.saturating_mul(10),
        };
        report.write = Some(write::run(size, options.rounds * 4).await?);
    }
    report.print();
    if let Some(path) = &options.json {
        std::fs::write(path, serde_json::to_string_pretty(&report)?)?;
    }
    Ok(())
}
