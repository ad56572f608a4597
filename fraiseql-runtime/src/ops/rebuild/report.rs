//! What a rebuild did.

use std::fmt;
use std::time::Duration;

use crate::schema::Table;
use crate::schema::position::Position;
use crate::sync::report::SyncReport;

/// What a rebuild did: one entry for each view of the read model.
///
/// Its text has a line for each view:
///
/// ```text
/// "public"."tv_post": rebuilt, 0 inserted, 10000 updated, 0 unchanged, 0 deleted in 950.1ms
/// "public"."tv_user": up to date
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RebuildReport {
    /// The views, in the order they were added to the read model.
    pub views: Vec<ViewRebuild>,
    /// The time from the call to its return.
    pub duration: Duration,
}

impl RebuildReport {
    /// Whether every view was looked through to its end: none was stopped, and none is being
    /// rebuilt by another session. Documents that cannot be written are in the
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
            let end = if index == 0 { "" } else { "\n" };
            write!(f, "{end}{view}")?;
        }
        Ok(())
    }
}

/// What was done with one view.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ViewRebuild {
    /// The view table.
    pub view: Table,
    /// How it ended.
    pub outcome: RebuildOutcome,
    /// Where it went on, if an earlier rebuild was interrupted.
    pub resumed_at: Option<Position>,
    /// What was done to its documents. Those that cannot be written are still stored in their
    /// old shape.
    pub report: SyncReport,
}

impl ViewRebuild {
    /// Nothing was done yet.
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
    /// No document was of another shape.
    UpToDate,
    /// All documents were rebuilt.
    Rebuilt,
    /// It was stopped by [`Rebuild::until`](super::Rebuild::until).
    Stopped,
    /// Another session is rebuilding the view; nothing was done here.
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
