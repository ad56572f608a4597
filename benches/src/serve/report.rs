//! The report of `serve`: tables and JSON.

use super::contender::Contender;
use super::database::Database;
use super::measure::Measured;
use super::operation::Operation;
use super::write::{Line, Write};
use crate::blog::Size;
use crate::measure::millis;

/// Results of one contender, operation and number of clients.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Cell {
    pub(crate) operation: Operation,
    pub(crate) clients: usize,
    pub(crate) contender: Contender,
    /// Medians of the rounds.
    pub(crate) median: Measured,
    pub(crate) rounds: Vec<Measured>,
}

/// All results, with the machine.
#[derive(Debug, Default, serde::Serialize)]
pub(crate) struct Report {
    machine: Machine,
    /// The data set of the requests, if requests were measured.
    size: Option<Size>,
    posts_of_author: Option<i32>,
    pub(crate) cells: Vec<Cell>,
    pub(crate) write: Option<Write>,
}

/// The machine and the PostgreSQL server.
#[derive(Debug, serde::Serialize)]
struct Machine {
    cores: usize,
    processor: Option<String>,
    server: Option<String>,
}

impl Default for Machine {
    fn default() -> Self {
        Self {
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            processor: processor(),
            server: None,
        }
    }
}

impl Report {
    pub(crate) fn new(database: &Database, size: Size, cells: Vec<Cell>) -> Self {
        Self {
            machine: Machine {
                server: Some(database.server.description().to_owned()),
                ..Machine::default()
            },
            size: Some(size),
            posts_of_author: Some(database.posts_of_author),
            cells,
            write: None,
        }
    }

    /// Prints tables in Markdown.
    pub(crate) fn print(&self) {
        let machine = &self.machine;
        let name = |name: &Option<String>| name.as_deref().unwrap_or("unknown").to_owned();
        println!("{} cores, {}", machine.cores, name(&machine.processor));
        if let Some(size) = &self.size {
            println!(
                "{}; {} posts, {} users, {} comments; medians of {} rounds",
                name(&machine.server),
                size.posts,
                size.users,
                size.comments,
                self.cells.first().map_or(0, |cell| cell.rounds.len()),
            );
        }
        let mut tables: Vec<(Operation, usize)> = Vec::new();
        for cell in &self.cells {
            if !tables.contains(&(cell.operation, cell.clients)) {
                tables.push((cell.operation, cell.clients));
            }
        }
        for (operation, clients) in tables {
            let cells = self
                .cells
                .iter()
                .filter(|cell| cell.operation == operation && cell.clients == clients);
            table(operation, clients, &cells.collect::<Vec<_>>());
        }
        if let Some(write) = &self.write {
            for posts in [1, 100] {
                let lines = write.lines.iter().filter(|line| line.posts == posts);
                written(write, posts, &lines.collect::<Vec<_>>());
            }
        }
    }
}

/// Prints a table of the write side. The first line is fraiseql's, to which the others are compared.
fn written(write: &Write, posts: usize, lines: &[&Line]) {
    let plural = if posts == 1 { "" } else { "s" };
    println!();
    println!(
        "| {posts} changed post{plural} among {} | UPDATE | documents | documents / ours | \
         together | together / ours |",
        count(f64::from(write.size.posts))
    );
    println!("|---|---:|---:|---:|---:|---:|");
    let together = |line: &Line| line.update + line.documents.unwrap_or(0.0);
    let (Some(ours), Some(both)) = (
        lines.first().and_then(|line| line.documents),
        lines.first().map(|line| together(line)),
    ) else {
        return;
    };
    for line in lines {
        let documents = line.documents;
        println!(
            "| {} | {} | {} | {} | {} | {} |",
            line.way,
            millis(line.update),
            documents.map_or_else(|| "in it".to_owned(), millis),
            documents.map_or_else(|| "-".to_owned(), |time| times(time / ours)),
            millis(together(line)),
            times(together(line) / both),
        );
    }
}

/// A ratio, with two decimals if it is small.
fn times(ratio: f64) -> String {
    if ratio < 100.0 {
        format!("{ratio:.2}")
    } else {
        count(ratio)
    }
}

fn table(operation: Operation, clients: usize, cells: &[&Cell]) {
    let of = |contender| {
        let cell = cells.iter().find(|cell| cell.contender == contender);
        cell.map(|cell| cell.median.per_second)
    };
    let plural = if clients == 1 { "" } else { "s" };
    println!();
    println!(
        "| {}, {clients} client{plural} | requests/s | ours-json / it | ours-jsonb / it | median | p99 | \
         server | PostgreSQL | client | memory |",
        operation.name()
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
    for cell in cells {
        let figures = &cell.median;
        let ratio = |ours: Option<f64>| {
            ours.map_or_else(
                || "-".to_owned(),
                |ours| format!("{:.2}", ours / figures.per_second),
            )
        };
        let part = |time: Option<f64>| time.map_or_else(|| "-".to_owned(), micros);
        println!(
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            cell.contender,
            count(figures.per_second),
            ratio(of(Contender::OursJson)),
            ratio(of(Contender::OursJsonb)),
            micros(figures.median),
            micros(figures.p99),
            part(figures.server),
            part(figures.postgres),
            part(figures.client),
            figures
                .memory
                .map_or_else(|| "-".to_owned(), |bytes| format!("{:.0} MB", bytes / 1e6)),
        );
    }
}

/// `52 us`; large values as `52.4 ms`.
fn micros(us: f64) -> String {
    match us {
        us if us < 10.0 => format!("{us:.1} us"),
        us if us < 10_000.0 => format!("{us:.0} us"),
        us if us < 100_000.0 => format!("{:.1} ms", us / 1e3),
        us => format!("{:.0} ms", us / 1e3),
    }
}

/// `12,345`; small values as `12.3`.
pub(crate) fn count(count: f64) -> String {
    if count < 100.0 {
        return format!("{count:.1}");
    }
    let digits = format!("{count:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The processor's name, on Linux.
fn processor() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(": ")?.1.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_readable() {
        assert_eq!(count(1_234_567.4), "1,234,567");
        assert_eq!(count(123.4), "123");
        assert_eq!(count(12.34), "12.3");
        assert_eq!(micros(52.4), "52 us");
        assert_eq!(micros(5.24), "5.2 us");
        assert_eq!(micros(52_400.0), "52.4 ms");
        assert_eq!(times(6_543.2), "6,543");
    }
}
