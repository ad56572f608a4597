//! Our server beside its peers: the same requests, sent over loopback to servers that are
//! processes of their own, on one database and in one run.
//!
//! `contender` says who is compared, `operation` what is asked, `database` has the rows, `peer`
//! the servers, `process` starts them, `load` sends requests, `raw` is PostgreSQL alone, `rounds`
//! takes turns, `report` prints.

mod contender;
mod database;
mod load;
mod measure;
mod node;
mod operation;
mod peer;
mod process;
mod raw;
mod report;
mod rival;
mod rounds;
mod views;

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum as _;

pub(crate) use self::peer::{PeerOptions, peer};

use self::contender::Contender;
use self::database::Database;
use self::operation::Operation;
use self::report::Report;
use crate::blog::Size;

/// Options of `serve`.
///
/// Each contender is a server of its own, and they take turns: in each round each answers the same
/// requests for some seconds, from so many clients with one request each at a time. Their answers
/// are compared first.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    size: Size,
    /// Measured rounds, after one to warm up.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How long each contender is asked in a round.
    #[arg(long, default_value_t = 2)]
    seconds: u64,
    /// How many clients ask at the same time.
    #[arg(long, value_delimiter = ',', default_value = "1,16")]
    clients: Vec<usize>,
    /// What is asked: everything unless told.
    #[arg(long, value_delimiter = ',')]
    operations: Vec<Operation>,
    /// These contenders alone.
    #[arg(long, value_delimiter = ',')]
    only: Vec<Contender>,
    /// Without these contenders.
    #[arg(long, value_delimiter = ',')]
    without: Vec<Contender>,
    /// Small and short, to see that everything runs. PostGraphile takes part if it is installed.
    #[arg(long)]
    quick: bool,
    /// Write the figures into this file, as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
}

impl Options {
    fn contenders(&self) -> Vec<Contender> {
        let is_in = |one: &Contender| self.only.is_empty() || self.only.contains(one);
        let all = Contender::value_variants().iter().copied();
        all.filter(is_in)
            .filter(|one| !self.without.contains(one))
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
        self.rounds = 1;
        self.seconds = 1;
    }

    fn time(&self) -> Duration {
        Duration::from_secs(self.seconds.max(1))
    }
}

pub(crate) async fn run(mut options: Options) -> anyhow::Result<()> {
    if options.quick {
        options.make_quick();
    }
    let clients = options.clients.iter().copied().max().unwrap_or(1);
    eprintln!("loading {:?}", options.size);
    let database = Database::load(options.size, clients, &options.contenders()).await?;
    let cells = rounds::run(&options, &database).await?;
    let report = Report::new(&database, options.size, cells);
    if let Some(path) = &options.json {
        std::fs::write(path, serde_json::to_string_pretty(&report)?)?;
    }
    report.print();
    Ok(())
}
