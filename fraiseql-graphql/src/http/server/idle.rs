//! The connections without a request, of which the oldest is closed when there are too many.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use fraiseql_runtime::__graphql::lock;
use tokio::sync::Notify;

/// The connections without a request.
#[derive(Default)]
pub(super) struct Idle {
    state: Mutex<IdleState>,
    changed: Notify,
}

#[derive(Default)]
struct IdleState {
    next: u64,
    /// In the order in which they became idle; each with what tells it to close.
    connections: BTreeMap<u64, Arc<Notify>>,
}

impl Idle {
    /// Tells the connection that has been idle for the longest time to close.
    pub(super) fn close_oldest(&self) {
        if let Some((_, close)) = lock(&self.state).connections.pop_first() {
            close.notify_one();
        }
    }

    /// Waits until a connection becomes idle.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    fn enter(&self, close: &Arc<Notify>) -> u64 {
        let mut state = lock(&self.state);
        let place = state.next;
        state.next += 1;
        state.connections.insert(place, Arc::clone(close));
        drop(state);
        self.changed.notify_one();
        place
    }

    fn leave(&self, place: u64) {
        lock(&self.state).connections.remove(&place);
    }
}

/// The place of one connection, which is idle until a request comes.
pub(super) struct Slot {
    idle: Arc<Idle>,
    close: Arc<Notify>,
    /// `None` while there is a request.
    place: Mutex<Option<u64>>,
}

impl Slot {
    pub(super) fn new(idle: Arc<Idle>) -> Arc<Self> {
        let close = Arc::new(Notify::new());
        let place = Mutex::new(Some(idle.enter(&close)));
        Arc::new(Self { idle, close, place })
    }

    /// Waits until the connection is to close. It is idle then.
    pub(super) async fn closed(&self) {
        loop {
            self.close.notified().await;
            // A request may have come in the same moment.
            if self.is_idle() {
                return;
            }
        }
    }

    /// Whether there is no request.
    pub(super) fn is_idle(&self) -> bool {
        lock(&self.place).is_some()
    }

    /// Marks the begin of a request.
    pub(super) fn busy(self: &Arc<Self>) -> Busy {
        if let Some(place) = lock(&self.place).take() {
            self.idle.leave(place);
        }
        Busy(Arc::clone(self))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(place) = lock(&self.place).take() {
            self.idle.leave(place);
        }
    }
}

/// A request that has not been answered. Its connection is idle again when it is dropped.
pub(super) struct Busy(Arc<Slot>);

impl Drop for Busy {
    fn drop(&mut self) {
        let slot = &self.0;
        *lock(&slot.place) = Some(slot.idle.enter(&slot.close));
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn the_oldest_connection_without_a_request_is_closed() {
        let idle = Arc::new(Idle::default());
        let slots: Vec<_> = (0..3).map(|_| Slot::new(Arc::clone(&idle))).collect();
        let closed = |at: usize| slots[at].closed().now_or_never().is_some();
        let busy = slots[0].busy();
        idle.close_oldest();
        assert!(!closed(0) && closed(1) && !closed(2));
        // After its request, it is the youngest.
        drop(busy);
        idle.close_oldest();
        assert!(!closed(0) && closed(2));
        idle.close_oldest();
        assert!(closed(0));
        idle.close_oldest();
    }

    #[test]
    fn a_connection_is_not_closed_in_a_request() {
        let idle = Arc::new(Idle::default());
        let slot = Slot::new(Arc::clone(&idle));
        idle.close_oldest();
        let busy = slot.busy();
        assert!(slot.closed().now_or_never().is_none());
        drop(busy);
        assert!(slot.closed().now_or_never().is_none());
        drop(slot);
        assert!(lock(&idle.state).connections.is_empty());
    }
}
