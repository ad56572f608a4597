//! Settings of a full sync or a rebuild.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use crate::schema::position::Position;
use crate::sync::full::progress::{OnProgress, Progress};

/// Settings of a full sync.
pub struct FullSyncSettings<'a> {
    /// The documents of a chunk, if they are set by the caller.
    pub(super) chunk: Option<usize>,
    pub(super) connections: usize,
    /// The position to resume at.
    pub(super) after: Option<Position>,
    /// The full sync stops before the next chunk once this is ready.
    pub(super) until: Option<Pin<Box<dyn Future<Output = ()> + Send + 'a>>>,
    pub(super) on_progress: Option<OnProgress<'a>>,
    /// Set if this is the pass of a rebuild.
    pub(super) rebuild: Option<RebuildPass>,
}

/// The documents that a rebuild goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RebuildPass {
    /// Every key of the view. The progress is recorded after each chunk, so that another process can
    /// resume.
    Whole {
        /// The number of documents that were done before, by the rebuild that this one resumes.
        done_before: u64,
    },
    /// Stale documents only.
    Stale,
}

impl<'a> FullSyncSettings<'a> {
    /// The default settings.
    pub(super) fn new() -> Self {
        Self {
            chunk: None,
            connections: 1,
            after: None,
            until: None,
            on_progress: None,
            rebuild: None,
        }
    }

    /// The settings of one view's full sync, of all views.
    pub(crate) fn of_view(
        chunk: Option<usize>,
        connections: usize,
        until: impl Future<Output = ()> + Send + 'a,
        on_progress: Option<OnProgress<'a>>,
    ) -> Self {
        Self {
            chunk,
            connections,
            until: Some(Box::pin(until)),
            on_progress,
            ..Self::new()
        }
    }

    /// The settings of a rebuild.
    pub(crate) fn of_rebuild(
        pass: RebuildPass,
        after: Option<Position>,
        chunk: Option<usize>,
        connections: usize,
        until: impl Future<Output = ()> + Send + 'a,
        on_progress: impl FnMut(&Progress) + Send + 'a,
    ) -> Self {
        Self {
            chunk,
            connections,
            after,
            until: Some(Box::pin(until)),
            on_progress: Some(Box::new(on_progress)),
            rebuild: Some(pass),
        }
    }
}

impl fmt::Debug for FullSyncSettings<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FullSyncSettings")
            .field("chunk", &self.chunk)
            .field("connections", &self.connections)
            .field("after", &self.after)
            .finish_non_exhaustive()
    }
}
