//! Tables and JSON.

use super::contender::Contender;
use super::database::Database;
use super::measure::Measured;
use super::operation::Operation;
use crate::blog::Size;

/// What was measured of a contender with one operation and so many clients.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Cell {
    pub(crate) operation: Operation,
    pub(crate) clients: usize,
    pub(crate) contender: Contender,
    /// Medians of the rounds.
    pub(crate) median: Measured,
    pub(crate) rounds: Vec<Measured>,
}

/// Everything that was measured, and where.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Report {
    server: String,
    cores: usize,
    processor: Option<String>,
    size: Size,
    posts_of_author: i32,
    cells: Vec<Cell>,
}

impl Report {
    pub(crate) fn new(database: &Database, size: Size, cells: Vec<Cell>) -> Self {
        Self {
            server: database.server.description().to_owned(),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            processor: processor(),
            size,
            posts_of_author: database.posts_of_author,
            cells,
        }
    }

    /// Tables, in markdown.
    pub(crate) fn print(&self) {
        println!(
            "{}, {} cores{}; {} posts, {} users, {} comments; medians of {} rounds",
            self.server,
            self.cores,
            self.processor
                .as_ref()
                .map_or_else(String::new, |name| format!(" ({name})")),
            self.size.posts,
            self.size.users,
            self.size.comments,
            self.cells.first().map_or(0, |cell| cell.rounds.len()),
        );
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
        "| {}, {clients} client{plural} | requests/s | ours-json | ours-jsonb | median | p99 | \
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

/// `52 us`, or `5.2 ms` where it is much.
fn micros(us: f64) -> String {
    match us {
        us if us < 10.0 => format!("{us:.1} us"),
        us if us < 10_000.0 => format!("{us:.0} us"),
        us if us < 100_000.0 => format!("{:.1} ms", us / 1e3),
        us => format!("{:.0} ms", us / 1e3),
    }
}

/// `12,345`, and `12.3` where it is little.
fn count(count: f64) -> String {
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
