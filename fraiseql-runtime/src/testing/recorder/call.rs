//! `Call`: a recorded call, and the table of calls that a failed assertion prints.

use std::fmt;

use crate::schema::Table;
use crate::schema::key::Keys;
use crate::sync::request::Mode;

/// A recorded call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Call {
    /// The view's entity: `post`.
    pub entity: &'static str,
    /// The view table.
    pub view: Table,
    /// Whether it syncs or deletes by key, or is a full sync.
    pub mode: Mode,
    /// The keys, each once and in order. Empty for a full sync.
    pub keys: Keys,
    /// The error that was set for it.
    pub error: Option<String>,
}

impl fmt::Display for Call {
    /// `sync post 1, 2, 3`, with at most ten keys; `full post`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.mode, self.entity)?;
        if self.mode != Mode::Full {
            write!(f, " {}", self.keys)?;
        }
        Ok(())
    }
}

/// The calls as a table with columns of equal width.
pub(super) fn table(calls: &[Call]) -> String {
    if calls.is_empty() {
        return "nothing was recorded".to_owned();
    }
    // Each column is at least as wide as its heading: "view" and "mode" have four letters.
    let width = |of: fn(&Call) -> usize| calls.iter().map(of).max().unwrap_or(0).max(4);
    let number = calls.len().to_string().len();
    let entity = width(|call| call.entity.chars().count());
    let mode = width(|call| call.mode.as_str().len());
    let mut text = format!(
        "recorded:\n  {:>number$}  {:entity$}  {:mode$}  keys",
        "#", "view", "mode"
    );
    for (index, call) in calls.iter().enumerate() {
        let keys = match call.mode {
            Mode::Full => "all".to_owned(),
            Mode::Sync | Mode::Delete => call.keys.to_string(),
        };
        text.push_str(&format!(
            "\n  {:>number$}  {:entity$}  {:mode$}  {keys}",
            index + 1,
            call.entity,
            call.mode
        ));
        if let Some(error) = &call.error {
            text.push_str(&format!("  failed: {error}"));
        }
    }
    text
}
