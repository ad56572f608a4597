//! The direction of imports between rooms: one table for each crate.

use std::collections::BTreeSet;

use crate::graph::room;
use crate::imports::Arrow;

/// The rooms of a crate from low to high. A room may import what stands on lower lines;
/// rooms on the same line must not import each other.
#[derive(Clone, Copy, Debug)]
pub struct Direction {
    /// The package's name.
    pub package: &'static str,
    /// Its rooms, lowest line first.
    pub lines: &'static [&'static [&'static str]],
}

/// The tables.
pub const DIRECTIONS: [Direction; 2] = [
    Direction {
        package: "fraiseql-runtime",
        lines: &[
            &["mutex"],
            &["schema"],
            &["error"],
            &["const_check", "sql"],
            &["view"],
            &["db"],
            &["sync"],
            &["read"],
            &["mutation", "ops", "feed"],
            &["worker", "advise"],
            &["model"],
            &["testing"],
            &["guide"],
            &["lib"],
        ],
    },
    Direction {
        package: "fraiseql-graphql",
        lines: &[
            &["error"],
            &["response"],
            &["budget"],
            &["schema"],
            &["spec"],
            &["request"],
            &["resolve"],
            &["http"],
            &["lib"],
        ],
    },
];

/// The table of a package.
#[must_use]
pub fn direction(package: &str) -> Option<&'static Direction> {
    DIRECTIONS
        .iter()
        .find(|direction| direction.package == package)
}

impl Direction {
    /// The arrows that point up or sideways. Those of rooms without a line are not among
    /// them: see [`Direction::unplaced`].
    #[must_use]
    pub fn offending<'a>(&self, arrows: &'a [Arrow]) -> Vec<&'a Arrow> {
        arrows
            .iter()
            .filter(|arrow| self.is_against(arrow))
            .collect()
    }

    /// The rooms of these files that stand on no line.
    #[must_use]
    pub fn unplaced<'a>(&self, files: &'a [String]) -> BTreeSet<&'a str> {
        files
            .iter()
            .map(|file| room(file))
            .filter(|room| self.line(room).is_none())
            .collect()
    }

    fn is_against(&self, arrow: &Arrow) -> bool {
        let (from, to) = (room(&arrow.from), room(&arrow.to));
        match (self.line(from), self.line(to)) {
            (Some(above), Some(below)) => from != to && above <= below,
            _ => false,
        }
    }

    fn line(&self, room: &str) -> Option<usize> {
        self.lines.iter().position(|line| line.contains(&room))
    }
}
