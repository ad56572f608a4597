//! Reports for people: tables of figures, circles with their ties, arrows of a room.

use std::fmt::Write as _;

use crate::checkout::PUBLISHED;
use crate::figures::{CrateFigures, CrateStructure, Figures, LONG, Lines};
use crate::graph::{self, room};

/// A figure's label, and its value.
type Row = (String, String);

/// A table of figures; with those of an earlier checkout in a column before.
#[must_use]
pub fn figures(before: Option<&Figures>, now: &Figures) -> String {
    let rows = rows(now);
    let earlier = before.map(self::rows);
    let Some(earlier) = earlier else {
        return aligned(rows.into_iter().map(|(label, value)| vec![label, value]));
    };
    let head = ["", "before", "after"].map(str::to_owned).to_vec();
    let body = rows.into_iter().zip(earlier);
    let body = body.map(|((label, after), (_, before))| vec![label, before, after]);
    aligned(std::iter::once(head).chain(body))
}

/// The long files of the published crates.
#[must_use]
pub fn long_files(lines: &Lines) -> String {
    let rows = lines.long.iter();
    aligned(rows.map(|file| vec![format!("{:>5}", file.lines), file.path.clone()]))
}

/// Each circle of each crate, with the imports that tie it.
#[must_use]
pub fn circles(structures: &[CrateStructure]) -> String {
    let mut text = String::new();
    for structure in structures {
        let circles = graph::circles(&structure.arrows);
        if circles.is_empty() {
            let _ = writeln!(text, "{}: no circles", structure.package);
        }
        for circle in circles {
            let _ = writeln!(text, "{}: {} files", structure.package, circle.len());
            for tie in graph::ties(&circle, &structure.arrows) {
                let _ = writeln!(text, "    {tie}");
            }
        }
    }
    text
}

/// The arrows into and out of the rooms of this name.
#[must_use]
pub fn arrows_of_room(structures: &[CrateStructure], name: &str) -> String {
    let mut text = String::new();
    for structure in structures {
        let crossing = structure.arrows.iter();
        let crossing = crossing.filter(|arrow| room(&arrow.from) != room(&arrow.to));
        let (mut out, mut into) = (Vec::new(), Vec::new());
        for arrow in crossing {
            if room(&arrow.from) == name {
                out.push(arrow);
            } else if room(&arrow.to) == name {
                into.push(arrow);
            }
        }
        for (title, arrows) in [("imports", out), ("is imported by", into)] {
            if !arrows.is_empty() {
                let _ = writeln!(text, "{}: {name} {title}", structure.package);
            }
            for arrow in arrows {
                let _ = writeln!(text, "    {arrow}");
            }
        }
    }
    text
}

fn rows(figures: &Figures) -> Vec<Row> {
    let mut rows = Vec::new();
    for package in PUBLISHED {
        let krate = figures.crates.iter().find(|krate| krate.package == package);
        crate_rows(package, krate, &mut rows);
    }
    let mut row = |label: &str, value: String| rows.push((label.to_owned(), value));
    let number = |value: Option<usize>| value.map_or_else(none, |value| value.to_string());
    row(
        "fraiseql-runtime: top-level modules",
        number(figures.top_level),
    );
    let exports = figures.exports;
    row(
        "fraiseql-runtime: names at the root",
        number(exports.map(|exports| exports.names)),
    );
    row(
        "fraiseql-runtime: public modules",
        number(exports.map(|exports| exports.modules)),
    );
    row("published src: files", figures.published.files.to_string());
    row("published src: lines", figures.published.lines.to_string());
    row(
        "published src: median lines",
        figures.published.median.to_string(),
    );
    let long = |lines: &Lines| lines.long.len().to_string();
    row(
        &format!("published src: files over {LONG}"),
        long(&figures.published),
    );
    row("all Rust: files", figures.all.files.to_string());
    row("all Rust: lines", figures.all.lines.to_string());
    row(&format!("all Rust: files over {LONG}"), long(&figures.all));
    row(
        "comments in bodies, % of code",
        format!("{:.2}", figures.comments.percent()),
    );
    row("README lines", number(figures.readme_lines));
    row("test functions", figures.test_functions.to_string());
    row("compile-fail cases", figures.compile_fail_cases.to_string());
    row("doc examples", figures.doc_examples.to_string());
    row("test binaries", figures.test_binaries.to_string());
    rows
}

fn crate_rows(package: &str, krate: Option<&CrateFigures>, rows: &mut Vec<Row>) {
    let mut row = |label: &str, value: Option<String>| {
        rows.push((format!("{package}: {label}"), value.unwrap_or_else(none)));
    };
    row("files", krate.map(|krate| krate.lines.files.to_string()));
    row("lines", krate.map(|krate| krate.lines.lines.to_string()));
    row("circles", krate.map(|krate| sizes(&krate.circles)));
    row(
        "arrows between rooms",
        krate.map(|krate| krate.room_arrows.to_string()),
    );
    let against = krate.and_then(|krate| krate.against);
    if crate::rooms::direction(package).is_some() {
        row(
            "imports against the direction",
            against.map(|(arrows, _)| arrows.to_string()),
        );
        row(
            "rooms without a line",
            against.map(|(_, rooms)| rooms.to_string()),
        );
    }
}

/// `3 (7, 2, 2)`.
fn sizes(circles: &[usize]) -> String {
    if circles.is_empty() {
        return "0".to_owned();
    }
    let sizes: Vec<String> = circles.iter().map(usize::to_string).collect();
    format!("{} ({})", circles.len(), sizes.join(", "))
}

fn none() -> String {
    "-".to_owned()
}

/// Columns two spaces apart.
fn aligned(rows: impl Iterator<Item = Vec<String>>) -> String {
    let rows: Vec<Vec<String>> = rows.collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(line, "{cell:width$}  ");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
