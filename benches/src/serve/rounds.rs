//! The order of measurement: first the comparison of responses, then alternating rounds.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;
use uuid::Uuid;

use super::Options;
use super::contender::Contender;
use super::database::Database;
use super::load::{Exchange, Next};
use super::measure::Measured;
use super::node::Node;
use super::operation::Operation;
use super::progress::bar;
use super::raw::Pgbench;
use super::renamed;
use super::report::Cell;
use super::rival::Rival;

/// Number of keys that `post` reads in turn.
const POSTS: usize = 1_000;

/// Measures the operations and contenders of the options.
pub(crate) async fn run(options: &Options, database: &Database) -> anyhow::Result<Vec<Cell>> {
    let contenders = options.contenders();
    let mut rivals = Vec::new();
    let node = if contenders.iter().any(|one| one.postgraphile().is_some()) {
        let node = Node::find(!options.quick);
        node.inspect_err(|problem| eprintln!("without PostGraphile: {problem:#}"))
            .ok()
    } else {
        None
    };
    let servers = contenders.iter().filter(|one| !one.is_raw());
    for contender in servers.filter(|one| one.postgraphile().is_none() || node.is_some()) {
        rivals.push(Rival::start(
            *contender,
            database,
            node.as_ref(),
            options.connections,
        )?);
    }
    let mut raw = None;
    if contenders.iter().any(|one| one.is_raw()) {
        match Pgbench::find(&database.pool).await {
            Ok(found) => raw = Some(found),
            Err(problem) => eprintln!("without PostgreSQL alone: {problem:#}"),
        }
    }
    let mut cells = Vec::new();
    for operation in options.operations() {
        let here: Vec<Contender> = contenders
            .iter()
            .copied()
            .filter(|one| one.does(operation) && (raw.is_some() || !one.is_raw()))
            .collect();
        let here: Vec<(Contender, Option<&Rival>)> = here
            .into_iter()
            .map(|one| (one, rivals.iter().find(|rival| rival.contender == one)))
            .filter(|(one, rival)| one.is_raw() || rival.is_some())
            .collect();
        let mut exchanges = same_answers(database, operation, &here).await?;
        if let Some(raw) = &raw {
            for (contender, _) in here.iter().filter(|(one, _)| one.is_raw()) {
                let is_json = *contender == Contender::RawJson;
                raw.check(&database.pool, is_json, operation, database.posts.len())
                    .await?;
            }
        }
        let mut requests: HashMap<Contender, Next> = HashMap::new();
        for (contender, rival) in &here {
            if let Some(rival) = rival
                && operation != Operation::Rename
            {
                let exchanges = exchanges.remove(contender).unwrap_or_default();
                requests.insert(
                    *contender,
                    rival.requests(operation, exchanges, &database.authors),
                );
            }
        }
        for &clients in &options.clients {
            let turn = Turn {
                options,
                database,
                operation,
                clients,
                raw: raw.as_ref(),
                requests: &requests,
            };
            // Concurrent refreshes wait for each other, and with sixteen clients exceed the time limit
            // of a request.
            let here: Vec<_> = here
                .iter()
                .copied()
                .filter(|(one, _)| clients == 1 || *one != Contender::Matview)
                .collect();
            cells.extend(turn.rounds(&here).await?);
        }
    }
    Ok(cells)
}

/// Checks that all contenders return the same data. Returns the exchanges of each.
async fn same_answers(
    database: &Database,
    operation: Operation,
    here: &[(Contender, Option<&Rival>)],
) -> anyhow::Result<HashMap<Contender, Vec<Exchange>>> {
    let keys: Vec<Uuid> = match operation {
        Operation::Post => database.posts.iter().copied().take(POSTS).collect(),
        Operation::PostConstant => database.posts.iter().copied().take(1).collect(),
        Operation::Rename => database.authors.clone(),
        Operation::Query | Operation::List => vec![Uuid::nil()],
    };
    let mut first: Option<(Contender, Vec<Value>)> = None;
    let mut all = HashMap::new();
    for (contender, rival) in here {
        let Some(rival) = rival else { continue };
        let mut answers = Vec::new();
        let mut exchanges = Vec::new();
        for key in &keys {
            let (answer, exchange) = rival.send(operation, *key, "Same Answers").await?;
            answers.push(answer);
            exchanges.push(exchange);
        }
        match &first {
            None => first = Some((*contender, answers)),
            Some((other, expected)) => {
                let differs = answers.iter().zip(expected).find(|(one, two)| one != two);
                if let Some((one, two)) = differs {
                    anyhow::bail!("{contender} returned {one}\nand {other} {two}");
                }
            }
        }
        all.insert(*contender, exchanges);
    }
    Ok(all)
}

/// One operation with one number of clients.
struct Turn<'a> {
    options: &'a Options,
    database: &'a Database,
    operation: Operation,
    clients: usize,
    raw: Option<&'a Pgbench>,
    requests: &'a HashMap<Contender, Next>,
}

impl Turn<'_> {
    async fn rounds(&self, here: &[(Contender, Option<&Rival>)]) -> anyhow::Result<Vec<Cell>> {
        const WARM_UP: usize = 1;
        let mut measured: Vec<Vec<Measured>> = vec![Vec::new(); here.len()];
        let rounds = self.options.rounds + WARM_UP;
        let bar = bar(rounds * here.len());
        for round in 0..rounds {
            for place in 0..here.len() {
                let index = (place + round) % here.len();
                let (contender, rival) = here[index];
                bar.set_message(format!(
                    "{}, {} clients: {contender}",
                    self.operation.name(),
                    self.clients
                ));
                let figures = self.one(contender, rival).await?;
                if round >= WARM_UP {
                    measured[index].push(figures);
                }
                bar.inc(1);
            }
        }
        bar.finish_and_clear();
        let cell = |(index, (contender, _)): (usize, &(Contender, _))| Cell {
            operation: self.operation,
            clients: self.clients,
            contender: *contender,
            median: Measured::median_of(&measured[index]),
            rounds: measured[index].clone(),
        };
        Ok(here.iter().enumerate().map(cell).collect())
    }

    async fn one(&self, contender: Contender, rival: Option<&Rival>) -> anyhow::Result<Measured> {
        let time: Duration = self.options.time();
        let Some(rival) = rival else {
            let raw = self.raw.context("pgbench was found")?;
            let is_json = contender == Contender::RawJson;
            return raw.run(
                self.database,
                is_json,
                self.operation,
                self.clients,
                // pgbench accepts only whole seconds.
                time.as_secs().max(1),
            );
        };
        if self.operation == Operation::Rename {
            let authors = &self.database.authors;
            ensure!(self.clients <= authors.len(), "an author for each client");
            let next = rival.requests(self.operation, Vec::new(), authors);
            let figures = rival
                .round(&self.database.pool, self.clients, time, &next)
                .await?;
            renamed::check(self.database, contender, self.clients).await?;
            return Ok(figures);
        }
        let next = &self.requests[&contender];
        rival
            .round(&self.database.pool, self.clients, time, next)
            .await
    }
}
