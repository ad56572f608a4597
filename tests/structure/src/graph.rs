//! Circles of files, and arrows between rooms.

use std::collections::BTreeSet;

use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;

use crate::imports::Arrow;

/// Files that reach each other along arrows, sorted.
pub type Circle<'a> = Vec<&'a str>;

/// The circles of two or more files, largest first.
#[must_use]
pub fn circles(arrows: &[Arrow]) -> Vec<Circle<'_>> {
    let graph: DiGraphMap<&str, ()> = arrows
        .iter()
        .map(|arrow| (arrow.from.as_str(), arrow.to.as_str()))
        .collect();
    let mut circles: Vec<Circle<'_>> = tarjan_scc(&graph)
        .into_iter()
        .filter(|files| files.len() > 1)
        .collect();
    for circle in &mut circles {
        circle.sort_unstable();
    }
    circles.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    circles
}

/// The arrows from files of a circle to files of the same circle.
#[must_use]
pub fn ties<'a>(circle: &[&str], arrows: &'a [Arrow]) -> Vec<&'a Arrow> {
    let inside = |file: &str| circle.contains(&file);
    arrows
        .iter()
        .filter(|arrow| inside(&arrow.from) && inside(&arrow.to))
        .collect()
}

/// The room of a file: its first path segment under `src`, without `.rs`.
#[must_use]
pub fn room(file: &str) -> &str {
    let first = file.split('/').next().unwrap_or(file);
    first.strip_suffix(".rs").unwrap_or(first)
}

/// Pairs of different rooms of which the first imports the second.
#[must_use]
pub fn room_arrows(arrows: &[Arrow]) -> BTreeSet<(&str, &str)> {
    arrows
        .iter()
        .map(|arrow| (room(&arrow.from), room(&arrow.to)))
        .filter(|(from, to)| from != to)
        .collect()
}
