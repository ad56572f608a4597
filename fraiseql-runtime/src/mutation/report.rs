//! What a mutation did.

use std::fmt;
use std::time::Duration;

use crate::error::invalid_document::InvalidDocument;
use crate::read::typed::TView;
use crate::schema::Table;
use crate::sync::report::SyncReport;

/// What a mutation synced, view by view.
///
/// ```text
/// post: 0 inserted, 2 updated, 0 unchanged, 0 deleted in 1.2ms
/// user: 0 inserted, 1 updated, 0 unchanged, 0 deleted in 0.8ms
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MutationReport {
    /// The views that had documents to sync, in the order in which they were.
    pub views: Vec<ViewReport>,
    /// The views that were not synced, because they had more dependents than the mutation's
    /// limits allow: they are stale until a full sync.
    pub left: Vec<LeftToFullSync>,
    /// Foreign keys by which rows have gone with deleted ones, and which were not followed,
    /// because they have several columns: the documents of those rows may be stale.
    pub not_followed: Vec<String>,
    /// How often [`mutate`](crate::ReadModel::mutate) ran it again.
    pub retries: u32,
    /// The time from the call of `commit` to its return.
    pub duration: Duration,
}

/// What was synced of one view.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ViewReport {
    /// The view's entity: `post`.
    pub entity: &'static str,
    /// The view table.
    pub view: Table,
    /// What was done.
    pub report: SyncReport,
}

/// A view that was left to a full sync.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeftToFullSync {
    /// The view's entity: `post`.
    pub entity: &'static str,
    /// The view table.
    pub view: Table,
    /// How many of its documents are stale, at least.
    pub at_least: usize,
    /// How they depend on what was changed: `tb_user.id -> Post.author`.
    pub ways: String,
}

impl MutationReport {
    /// What was synced of `V`; `None` where nothing depended on what was changed.
    #[must_use]
    pub fn of<V: TView>(&self) -> Option<&SyncReport> {
        self.views
            .iter()
            .find(|view| view.view == V::VIEW.table)
            .map(|view| &view.report)
    }

    /// How many documents were looked at, of all views.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.views.iter().map(|view| view.report.total()).sum()
    }

    /// How many documents were written or deleted, of all views.
    #[must_use]
    pub fn changed(&self) -> u64 {
        self.views.iter().map(|view| view.report.changed()).sum()
    }

    /// The documents that could not be written, of all views.
    pub fn invalid(&self) -> impl Iterator<Item = &InvalidDocument> {
        self.views.iter().flat_map(|view| &view.report.invalid)
    }
}

impl fmt::Display for LeftToFullSync {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: at least {} documents left to a full sync ({})",
            self.entity, self.at_least, self.ways
        )
    }
}

impl fmt::Display for MutationReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.views.is_empty() && self.left.is_empty() && self.not_followed.is_empty() {
            return f.write_str("no document depends on what was changed");
        }
        let synced = self
            .views
            .iter()
            .map(|view| format!("{}: {}", view.entity, view.report));
        let left = self.left.iter().map(ToString::to_string);
        let not_followed = self
            .not_followed
            .iter()
            .map(|key| format!("not followed from deleted rows: {key}"));
        for (index, line) in synced.chain(left).chain(not_followed).enumerate() {
            let end = if index == 0 { "" } else { "\n" };
            write!(f, "{end}{line}")?;
        }
        Ok(())
    }
}
