//! A contender that is ready: its server runs, and its answers were compared.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;
use sqlx::PgPool;
use uuid::Uuid;

use super::contender::Contender;
use super::database::Database;
use super::load::{self, Exchange, Expected, Next};
use super::measure::Measured;
use super::node::Node;
use super::operation::{Asked, Operation};
use super::process::{self, Process};

/// A server of a contender.
pub(crate) struct Rival {
    pub(crate) contender: Contender,
    process: Process,
    /// How its connections to PostgreSQL are called.
    application: String,
    /// How often it has renamed somebody.
    renamed: std::cell::Cell<usize>,
}

impl Rival {
    /// Starts its server.
    pub(crate) fn start(
        contender: Contender,
        database: &Database,
        node: Option<&Node>,
    ) -> anyhow::Result<Self> {
        let application = format!("serve-{contender}");
        let mut command = match contender.postgraphile() {
            Some(processes) => node.context("Node was found")?.command(processes)?,
            None => Command::new(std::env::current_exe()?),
        };
        if contender.postgraphile().is_none() {
            command.args(["serve-peer", contender.name()]);
        }
        command.envs(Database::environment(database.of(contender), &application)?);
        Ok(Self {
            contender,
            process: Process::start(command).with_context(|| contender.name())?,
            application,
            renamed: std::cell::Cell::new(0),
        })
    }

    /// What it answers, in the words of our schema, and the request with the bytes of the answer.
    pub(crate) async fn ask(
        &self,
        operation: Operation,
        key: Uuid,
        name: &str,
    ) -> anyhow::Result<(Value, Exchange)> {
        let asked = Asked::of(self.contender, operation, key, name);
        let request = load::post(&asked.body);
        let answer = load::ask(self.process.address, &request).await?;
        let mut json: Value = serde_json::from_slice(&answer)?;
        ensure!(
            json.get("errors").is_none() && json["data"].is_object(),
            "{} answers {json}",
            self.contender
        );
        let data = (asked.plain)(json["data"].take());
        let exchange = Exchange {
            request,
            answer: Expected::Length(answer.len()),
        };
        Ok((data, exchange))
    }

    /// Requests for the load generator. Those that read have the answers that were compared;
    /// those that write have to be answered with the name they give.
    pub(crate) fn requests(
        &self,
        operation: Operation,
        exchanges: Vec<Exchange>,
        authors: &[Uuid],
    ) -> Next {
        if operation != Operation::Rename {
            let exchanges: Vec<_> = exchanges.into_iter().map(Arc::new).collect();
            // Clients begin far from each other.
            return Arc::new(move |client, number| {
                Arc::clone(&exchanges[(client * 37 + number) % exchanges.len()])
            });
        }
        let contender = self.contender;
        let authors = authors.to_vec();
        let round = self.renamed.get();
        self.renamed.set(round + 1);
        Arc::new(move |client, number| {
            let name = format!("{contender} {round} {client} {number}");
            let asked = Asked::of(contender, Operation::Rename, authors[client], &name);
            Arc::new(Exchange {
                request: load::post(&asked.body),
                answer: Expected::Holds(name.into_bytes()),
            })
        })
    }

    /// A round, with what it took.
    pub(crate) async fn round(
        &self,
        pool: &PgPool,
        clients: usize,
        time: Duration,
        next: &Next,
    ) -> anyhow::Result<Measured> {
        let servers = self.process.pids();
        let backends: Vec<i32> =
            sqlx::query_scalar("SELECT pid FROM pg_stat_activity WHERE application_name = $1")
                .bind(&self.application)
                .fetch_all(pool)
                .await?;
        let backends: Vec<u32> = backends.iter().map(|pid| pid.unsigned_abs()).collect();
        let before = (process::cpu(&servers), process::cpu(&backends));
        let address: SocketAddr = self.process.address;
        // Nothing else is done by this process meanwhile.
        let round = load::round(address, clients, time, next)
            .with_context(|| format!("{}, {clients} clients", self.contender))?;
        let server = process::cpu(&servers).saturating_sub(before.0);
        let postgres = process::cpu(&backends).saturating_sub(before.1);
        Ok(Measured::of(
            &round,
            server,
            postgres,
            process::memory(&servers),
        ))
    }
}
