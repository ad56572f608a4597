//! The results of a full sync of all views.

use std::fmt;
use std::time::Duration;

use crate::read::typed::TView;
use crate::schema::Table;
use crate::sync::report::SyncReport;

/// The result of [`ReadModel::sync_all`](crate::ReadModel::sync_all).
///
/// Its `Display` has a line for each view:
///
/// ```text
/// "public"."tv_post": 10000 inserted, 0 updated, 0 unchanged, 0 deleted in 950.1ms
/// "public"."tv_user": 0 inserted, 0 updated, 300 unchanged, 0 deleted in 12.5ms
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SyncAllReport {
    /// The views that were synced, in the order in which they were added to the read model.
    pub views: Vec<ViewSync>,
    /// Whether [`SyncAll::until`](super::SyncAll::until) stopped it before it was complete.
    pub is_stopped: bool,
    /// The duration of the whole.
    pub duration: Duration,
}

impl SyncAllReport {
    /// The report of the view `V`; `None` if it is not a view of the read model, or was not begun.
    #[must_use]
    pub fn of<V: TView>(&self) -> Option<&SyncReport> {
        let mut views = self.views.iter();
        Some(
            &views
                .find(|view| view.view.is_declared_as(V::VIEW.table))?
                .report,
        )
    }

    /// The number of documents that were inserted, updated or deleted, in all views.
    #[must_use]
    pub fn changed(&self) -> u64 {
        self.views.iter().map(|view| view.report.changed()).sum()
    }

    /// Whether every document of every view could be written.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.views.iter().all(|view| view.report.invalid.is_empty())
    }
}

impl fmt::Display for SyncAllReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, ViewSync { view, report }) in self.views.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{view}: {report}")?;
        }
        if self.is_stopped {
            f.write_str("\nstopped")?;
        }
        Ok(())
    }
}

/// The full sync of one view.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ViewSync {
    /// The view table.
    pub view: Table,
    /// The result.
    pub report: SyncReport,
}
