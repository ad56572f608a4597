//! The options of a run over all views: a full sync or a rebuild.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

use futures_util::future::FutureExt as _;

use crate::schema::Table;
use crate::sync::full::progress::Progress;

/// A closure that is called after each chunk, with the view table.
pub(super) type OnViewProgress<'a> = Box<dyn FnMut(Table, &Progress) + Send + 'a>;

/// A future that stops a run when it is ready. `None` after that, or if there is none.
pub(super) type Until<'a> = Option<Pin<Box<dyn Future<Output = ()> + Send + 'a>>>;

/// The options of a run.
pub(super) struct RunOptions<'a> {
    pub(super) chunk: Option<usize>,
    pub(super) connections: usize,
    pub(super) until: Until<'a>,
    pub(super) progress: Option<OnViewProgress<'a>>,
}

impl Default for RunOptions<'_> {
    fn default() -> Self {
        Self {
            chunk: None,
            connections: 1,
            until: None,
            progress: None,
        }
    }
}

impl<'a> RunOptions<'a> {
    pub(super) fn set_chunk(&mut self, documents: usize) {
        self.chunk = Some(documents.max(1));
    }

    pub(super) fn set_connections(&mut self, connections: usize) {
        self.connections = connections.max(1);
    }

    pub(super) fn set_progress(&mut self, progress: impl FnMut(Table, &Progress) + Send + 'a) {
        self.progress = Some(Box::new(progress));
    }

    pub(super) fn set_until(&mut self, stop: impl Future<Output = ()> + Send + 'a) {
        self.until = Some(Box::pin(stop));
    }
}

/// Ready when `until` is. It is polled by reference: the next view, or the next attempt, needs it. A
/// future must not be polled again after it was ready, so it is removed then.
pub(super) fn stop_of(until: &mut Until<'_>) -> impl Future<Output = ()> + Send {
    poll_fn(|context| match until {
        Some(stop) => {
            let ready = stop.poll_unpin(context);
            if ready.is_ready() {
                *until = None;
            }
            ready
        }
        None => Poll::Pending,
    })
}
