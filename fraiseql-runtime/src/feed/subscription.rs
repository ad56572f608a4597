//! `Subscription`: one place where changes of documents arrive.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::feed::inbox::Inbox;
use crate::feed::interest::{Interest, Notice};
use crate::feed::shared::Shared;
use crate::mutex::lock;

/// One place where changes of documents arrive.
#[doc(hidden)]
#[derive(Debug)]
pub struct Subscription {
    shared: Arc<Shared>,
    interest: Interest,
    id: u64,
    inbox: Arc<Inbox>,
}

impl Subscription {
    pub(super) fn new(shared: Arc<Shared>, interest: Interest, max_keys: usize) -> Self {
        let inbox = Arc::new(Inbox::new(max_keys));
        let (id, first) = lock(&shared.hub).add(interest.clone(), Arc::clone(&inbox));
        if first {
            shared.kick();
        }
        Self {
            shared,
            interest,
            id,
            inbox,
        }
    }

    /// Waits for what arrives next. Nothing is lost if the future is dropped.
    pub async fn next(&mut self) -> Notice {
        poll_fn(|context| self.poll_next(context)).await
    }

    pub(super) fn poll_next(&mut self, context: &Context<'_>) -> Poll<Notice> {
        self.inbox.poll_take(context)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        lock(&self.shared.hub).remove(&self.interest, self.id);
    }
}
