//! `RefreshReport`: what a refresh has done.

use std::fmt;
use std::time::Duration;

use crate::schema::Table;

/// The result of [`ReadModel::refresh`](crate::ReadModel::refresh).
///
/// ```text
/// "public"."tv_revenue": refreshed in 41.0ms
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RefreshReport {
    /// The materialized view, or the relation that documents of another storage are read from.
    pub view: Table,
    /// Whether it was refreshed. False if there is nothing to refresh: its documents are in a view table, or
    /// are built when they are read.
    pub refreshed: bool,
    /// The time that it took, with the wait for another refresh.
    pub duration: Duration,
}

impl fmt::Display for RefreshReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.refreshed {
            write!(f, "{}: refreshed in {:.1?}", self.view, self.duration)
        } else {
            write!(f, "{}: nothing to refresh", self.view)
        }
    }
}
