//! The plot of `serve`: throughput.

use std::path::Path;

use anyhow::anyhow;
use plotters::coord::Shift;
use plotters::prelude::*;

use super::report::{Cell, count};

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

const WIDTH: u32 = 760;
const ROW: i32 = 24;
const TITLE: i32 = 34;
/// Left edge of the bars, and length of the longest.
const LEFT: i32 = 170;
const LONGEST: f64 = 500.0;

/// Draws a panel for each operation, with a bar of requests per second for each contender, for the
/// largest number of clients.
pub(crate) fn throughput(path: &Path, cells: &[Cell]) -> anyhow::Result<()> {
    let clients = cells.iter().map(|cell| cell.clients).max().unwrap_or(0);
    let cells: Vec<&Cell> = cells
        .iter()
        .filter(|cell| cell.clients == clients)
        .collect();
    let mut operations: Vec<_> = cells.iter().map(|cell| cell.operation).collect();
    operations.dedup();
    let heights: Vec<u32> = operations
        .iter()
        .map(|operation| {
            let rows = cells.iter().filter(|cell| cell.operation == *operation);
            let rows = i32::try_from(rows.count()).unwrap_or(0);
            u32::try_from(TITLE + rows * ROW + 10).unwrap_or(0)
        })
        .collect();
    let root = SVGBackend::new(path, (WIDTH, heights.iter().sum())).into_drawing_area();
    root.fill(&WHITE).map_err(failed)?;
    let mut rest = root.clone();
    for (operation, height) in operations.iter().zip(heights) {
        let (panel, below) = rest.split_vertically(height);
        let cells: Vec<&Cell> = cells
            .iter()
            .filter(|cell| cell.operation == *operation)
            .copied()
            .collect();
        let title = format!(
            "{}: requests per second, {clients} clients",
            operation.name()
        );
        draw(&panel, &title, &cells)?;
        rest = below;
    }
    root.present().map_err(failed)
}

fn draw(panel: &Area<'_>, title: &str, cells: &[&Cell]) -> anyhow::Result<()> {
    let most = cells
        .iter()
        .map(|cell| cell.median.per_second)
        .fold(f64::MIN_POSITIVE, f64::max);
    panel
        .draw(&Text::new(title.to_owned(), (10, 10), ("sans-serif", 16)))
        .map_err(failed)?;
    for (row, cell) in (0..).zip(cells) {
        let top = TITLE + row * ROW;
        let figure = cell.median.per_second;
        let end = LEFT + (figure / most * LONGEST) as i32;
        let color = match cell.contender.name() {
            name if name.starts_with("ours") => RGBColor(51, 103, 145),
            name if name.starts_with("raw") => RGBColor(190, 190, 190),
            _ => RGBColor(214, 143, 80),
        };
        let bar = Rectangle::new(
            [(LEFT, top), (end.max(LEFT + 1), top + ROW - 7)],
            color.filled(),
        );
        panel.draw(&bar).map_err(failed)?;
        for (text, at) in [
            (cell.contender.name().to_owned(), 10),
            (count(figure), end + 8),
        ] {
            panel
                .draw(&Text::new(text, (at, top + 2), ("sans-serif", 14)))
                .map_err(failed)?;
        }
    }
    Ok(())
}

fn failed(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("{error}")
}
