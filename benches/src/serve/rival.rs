//! A contender whose server is running.

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
use super::operation::{Operation, OperationRequest};
use super::process::{self, Process};

/// The running server of a contender.
pub(crate) struct Rival {
    pub(crate) contender: Contender,
    process: Process,
    /// `application_name` of its connections to PostgreSQL.
    application: String,
    /// Number of rounds of `rename`, which makes the names of each round new.
    rename_rounds: std::cell::Cell<usize>,
}

impl Rival {
    /// Starts the server.
    pub(crate) fn start(
        contender: Contender,
        database: &Database,
        node: Option<&Node>,
        connections: u32,
    ) -> anyhow::Result<Self> {
        let application = format!("serve-{contender}");
        let mut command = match contender.postgraphile() {
            Some(processes) => node
                .context("Node was found")?
                .command(processes, connections)?,
            None => Command::new(std::env::current_exe()?),
        };
        if contender.postgraphile().is_none() {
            command.args(["serve-peer", contender.name()]);
            command.args(["--connections", &connections.to_string()]);
        }
        command.envs(Database::environment(database.of(contender), &application)?);
        Ok(Self {
            contender,
            process: Process::start(command).with_context(|| contender.name())?,
            application,
            rename_rounds: std::cell::Cell::new(0),
        })
    }

    /// Sends a request. Returns the data in the common form, and the exchange for the load
    /// generator, which expects the length of this response.
    pub(crate) async fn send(
        &self,
        operation: Operation,
        key: Uuid,
        name: &str,
    ) -> anyhow::Result<(Value, Exchange)> {
        let operation_request = OperationRequest::of(self.contender, operation, key, name);
        let request = load::post(&operation_request.body);
        let answer = load::exchange_once(self.process.address, &request).await?;
        let mut json: Value = serde_json::from_slice(&answer)?;
        ensure!(
            json.get("errors").is_none() && json["data"].is_object(),
            "{} returned {json}",
            self.contender
        );
        let data = (operation_request.normalize)(json["data"].take());
        let exchange = Exchange {
            request,
            answer: Expected::Length(answer.len()),
        };
        Ok((data, exchange))
    }

    /// Requests for the load generator. Reads repeat the exchanges that were compared; the response
    /// of a write must contain the new name.
    pub(crate) fn requests(
        &self,
        operation: Operation,
        exchanges: Vec<Exchange>,
        authors: &[Uuid],
    ) -> Next {
        if operation != Operation::Rename {
            let exchanges: Vec<_> = exchanges.into_iter().map(Arc::new).collect();
            // Clients start at different keys.
            return Arc::new(move |client, number| {
                Arc::clone(&exchanges[(client * 37 + number) % exchanges.len()])
            });
        }
        let contender = self.contender;
        let authors = authors.to_vec();
        let round = self.rename_rounds.get();
        self.rename_rounds.set(round + 1);
        Arc::new(move |client, number| {
            let name = format!("{contender} {round} {client} {number}");
            let operation_request =
                OperationRequest::of(contender, Operation::Rename, authors[client], &name);
            Arc::new(Exchange {
                request: load::post(&operation_request.body),
                answer: Expected::Holds(name.into_bytes()),
            })
        })
    }

    /// Runs a round, and measures it.
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
        // This blocks the thread, so that nothing else runs in this process meanwhile.
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
