//! The results of a rebuild.

use std::fmt;
use std::time::Duration;

use crate::schema::Table;
use crate::schema::position::Position;
use crate::sync::report::SyncReport;

/// The result of a rebuild, with one entry for each view of the read model.
///
/// Its `Display` has a line for each view:
///
/// ```text
/// "public"."tv_post": rebuilt, 0 inserted, 10000 updated, 0 unchanged, 0 deleted in 950.1ms
/// "public"."tv_user": up to date
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RebuildReport {
    /// The views, in the order in which they were added to the read model.
    pub views: Vec<ViewRebuild>,
    /// The duration of the whole rebuild.
    pub duration: Duration,
}

impl RebuildReport {
    /// Whether the rebuild of every view is complete: none was stopped, and none is being rebuilt
    /// by another session. Documents that cannot be written are in the
    /// [reports](ViewRebuild::report).
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.views.iter().all(|view| {
            matches!(
                view.outcome,
                RebuildOutcome::UpToDate | RebuildOutcome::Rebuilt
            )
        })
    }
}

impl fmt::Display for RebuildReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, view) in self.views.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{view}")?;
        }
        Ok(())
    }
}

/// The result of rebuilding one view.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ViewRebuild {
    /// The view table.
    pub view: Table,
    /// How it ended.
    pub outcome: RebuildOutcome,
    /// The position at which the rebuild continued, if an earlier one was interrupted.
    pub resumed_at: Option<Position>,
    /// The result of syncing its documents. Those that cannot be written are still stale.
    pub report: SyncReport,
}

impl ViewRebuild {
    /// A result without any documents.
    pub(super) fn of(view: Table) -> Self {
        Self {
            view,
            outcome: RebuildOutcome::UpToDate,
            resumed_at: None,
            report: SyncReport::default(),
        }
    }
}

/// How the rebuild of a view ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RebuildOutcome {
    /// No document was stale.
    UpToDate,
    /// All documents were rebuilt.
    Rebuilt,
    /// [`Rebuild::until`](super::Rebuild::until) stopped the rebuild.
    Stopped,
    /// Another session is rebuilding the view, so this rebuild skipped it.
    InProgress,
}

impl fmt::Display for RebuildOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::UpToDate => "up to date",
            Self::Rebuilt => "rebuilt",
            Self::Stopped => "stopped",
            Self::InProgress => "is being rebuilt by another session",
        })
    }
}

impl fmt::Display for ViewRebuild {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.view, self.outcome)?;
        if self.report.total() > 0 {
            write!(f, ", {}", self.report)?;
        }
        Ok(())
    }
}
