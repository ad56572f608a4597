//! `MutationReport`: what a mutation synced, and what it did not.

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
    /// The views with dependent documents, in the order in which they were synced.
    pub views: Vec<ViewReport>,
    /// The views that were not synced, because they had more dependents than the mutation's
    /// limits allow. Their documents may differ from the base tables until a full sync.
    pub deferred: Vec<DeferredView>,
    /// Foreign keys by which rows were deleted or changed together with a marked row, and which
    /// were not followed, because the role may not read the rows, or because their default is taken
    /// from a sequence. The documents of those rows may differ from the base tables. In a
    /// [strict](crate::Mutation::strict) mutation it is an error.
    pub not_followed: Vec<String>,
    /// The number of times that [`mutate`](crate::ReadModel::mutate) ran it again.
    pub retries: u32,
    /// The time that `commit` took.
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
    /// The result of the sync.
    pub report: SyncReport,
}

/// A view that was not synced, and needs a full sync.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeferredView {
    /// The view's entity: `post`.
    pub entity: &'static str,
    /// The view table.
    pub view: Table,
    /// The number of dependent documents that were found. There may be more.
    pub at_least: usize,
    /// The paths by which they depend on the changed rows, with the number of documents of each:
    /// `200 by tb_user.id -> Post.author`.
    pub paths: String,
}

impl MutationReport {
    /// The report of `V`, or `None` if no document of it depended on the changed rows.
    #[must_use]
    pub fn of<V: TView>(&self) -> Option<&SyncReport> {
        self.views
            .iter()
            .find(|view| view.view == V::VIEW.table)
            .map(|view| &view.report)
    }

    /// The number of documents of all views that were compared, changed or not.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.views.iter().map(|view| view.report.total()).sum()
    }

    /// The number of documents of all views that were written or deleted.
    #[must_use]
    pub fn changed(&self) -> u64 {
        self.views.iter().map(|view| view.report.changed()).sum()
    }

    /// The invalid documents of all views.
    pub fn invalid(&self) -> impl Iterator<Item = &InvalidDocument> {
        self.views.iter().flat_map(|view| &view.report.invalid)
    }
}

impl fmt::Display for DeferredView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: at least {} documents deferred to a full sync ({})",
            self.entity, self.at_least, self.paths
        )
    }
}

impl fmt::Display for MutationReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.views.is_empty() && self.deferred.is_empty() && self.not_followed.is_empty() {
            return f.write_str("no document depends on what was changed");
        }
        let synced = self
            .views
            .iter()
            .map(|view| format!("{}: {}", view.entity, view.report));
        let deferred = self.deferred.iter().map(ToString::to_string);
        let not_followed = self
            .not_followed
            .iter()
            .map(|key| format!("not followed from deleted or changed rows: {key}"));
        for (index, line) in synced.chain(deferred).chain(not_followed).enumerate() {
            let end = if index == 0 { "" } else { "\n" };
            write!(f, "{end}{line}")?;
        }
        Ok(())
    }
}
