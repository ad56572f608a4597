//! Progress of a full sync.

use std::fmt;
use std::time::Duration;

use crate::schema::position::Position;
use crate::sync::report::SyncReport;

/// Called after each chunk of a full sync.
pub(crate) type OnProgress<'a> = Box<dyn FnMut(&Progress) + Send + 'a>;

/// The progress of a full sync, after a chunk.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Progress {
    /// The documents so far, by outcome, and the time they took.
    pub report: SyncReport,
    /// The number of chunks so far.
    pub chunks: u64,
    /// The approximate number of documents in total, by the statistics of the base table. It is
    /// counted if the table has no statistics, or if the full sync resumes at a position.
    pub expected: u64,
    /// Every key up to this position is done; see [`FullSync::resume`](super::FullSync::resume).
    pub position: Position,
}

impl Progress {
    /// The rate, in documents per second.
    #[must_use]
    pub fn rate(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a rate is not exact")]
        let documents = self.report.total() as f64;
        documents / self.report.duration.as_secs_f64().max(1e-9)
    }

    /// The remaining time at this rate; `None` before the first document.
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
