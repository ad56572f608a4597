//! Numbers of files and lines.

use anyhow::Result;

use crate::checkout::Checkout;

/// A file with more lines than this is long.
pub const LONG: usize = 400;

/// Lines of a set of Rust files.
#[derive(Debug, Default)]
pub struct Lines {
    /// The number of files.
    pub files: usize,
    /// The sum of their lines.
    pub lines: usize,
    /// The median number of lines.
    pub median: usize,
    /// Files with more than [`LONG`] lines, longest first.
    pub long: Vec<LongFile>,
}

/// A long file.
#[derive(Debug)]
pub struct LongFile {
    /// Its lines.
    pub lines: usize,
    /// Its path in the checkout.
    pub path: String,
}

impl Lines {
    /// Counts in the Rust files that `is_member` picks.
    pub(crate) fn measure(checkout: &Checkout, is_member: impl Fn(&str) -> bool) -> Result<Self> {
        let mut counts = Vec::new();
        let mut long = Vec::new();
        for file in checkout.with_extension("rs").filter(|file| is_member(file)) {
            let lines = checkout.read(file)?.lines().count();
            counts.push(lines);
            if lines > LONG {
                let path = file.to_owned();
                long.push(LongFile { lines, path });
            }
        }
        counts.sort_unstable();
        long.sort_by(|a, b| b.lines.cmp(&a.lines).then_with(|| a.path.cmp(&b.path)));
        Ok(Self {
            files: counts.len(),
            lines: counts.iter().sum(),
            median: counts.get(counts.len() / 2).copied().unwrap_or_default(),
            long,
        })
    }
}
