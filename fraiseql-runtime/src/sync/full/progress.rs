//! How far a full sync has come.

use std::fmt;
use std::time::Duration;

use crate::schema::position::Position;
use crate::sync::report::SyncReport;

/// Called after each chunk of a full sync.
pub type OnProgress<'a> = Box<dyn FnMut(&Progress) + Send + 'a>;

/// How far a full sync has come.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Progress {
    /// What was done so far, and the time it took.
    pub report: SyncReport,
    /// How many chunks that took.
    pub chunks: u64,
    /// How many documents there are to look at, about: by the statistics of the base table
    /// where it has any.
    pub expected: u64,
    /// Everything up to here is done; see [`FullSync::resume`](super::FullSync::resume).
    pub position: Position,
}

impl Progress {
    /// Documents a second.
    #[must_use]
    pub fn rate(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a rate is not exact")]
        let documents = self.report.total() as f64;
        documents / self.report.duration.as_secs_f64().max(1e-9)
    }

    /// The time that is left, if it goes on like this; `None` before there is a rate.
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        let left = self.expected.saturating_sub(self.report.total());
        let done = u32::try_from(self.report.total()).ok().filter(|n| *n > 0)?;
        let left = u32::try_from(left).ok()?;
        Some(
            self.report
                .duration
                .mul_f64(f64::from(left) / f64::from(done)),
        )
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let done = self.report.total();
        write!(f, "{done} of {}", self.expected.max(done))?;
        write!(f, ", {:.0} a second", self.rate())?;
        match self.remaining() {
            Some(left) => write!(f, ", {left:.0?} left"),
            None => Ok(()),
        }
    }
}
