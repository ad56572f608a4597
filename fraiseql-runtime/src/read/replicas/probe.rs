//! Looks at all servers from time to time, while there are reads.
//!
//! No task runs on its own: a read that finds the last look to be old begins the next one, and goes on.
//! Only after a pause, when nothing is known of what the primary has written since, it waits for it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use futures_util::future::{join, join_all};
use sqlx_core::rt;

use crate::mutex::lock;
use crate::read::replicas::replica::Replica;
use crate::read::replicas::set::{PrimaryServer, ReplicaSet};
use crate::read::replicas::settings::{LOOK_TIMEOUT, LOOK_WAIT, PROBE_INTERVAL, STALE_AFTER};
use crate::read::replicas::telemetry;
use crate::read::server::Look;

impl ReplicaSet {
    /// Begins a look at all servers if the last one is old. Waits for it if nothing can be judged without.
    pub(super) async fn refresh(self: &Arc<Self>) {
        let since = lock(&self.primary.probed).map(|at| at.elapsed());
        if since.is_some_and(|since| since < PROBE_INTERVAL) {
            return;
        }
        if let Some(guard) = self.primary.probing.try_lock_owned() {
            let set = Arc::clone(self);
            rt::spawn(async move {
                set.probe().await;
                drop(guard);
            });
        }
        if since.is_none_or(|since| since > STALE_AFTER) {
            // Until the one that has begun, by whichever read, has ended.
            let ended = self.primary.probing.lock();
            let _ = rt::timeout(LOOK_WAIT, ended).await;
        }
    }

    /// Looks at all servers, and waits for those that do not respond, too.
    pub(super) async fn probe_all(&self) {
        let replicas = self.replicas.iter().map(|replica| replica.probe());
        join(self.primary.probe(), join_all(replicas)).await;
        *lock(&self.primary.probed) = Some(Instant::now());
        telemetry::probed(self);
    }

    /// Looks at all servers. Those that were not reachable before are not waited for.
    async fn probe(&self) {
        let (lost, present): (Vec<_>, Vec<_>) = self
            .replicas
            .iter()
            .partition(|replica| replica.is_unreachable());
        for replica in lost {
            if !replica.is_probing.swap(true, Ordering::Relaxed) {
                let replica = Arc::clone(replica);
                rt::spawn(async move {
                    replica.probe().await;
                    replica.is_probing.store(false, Ordering::Relaxed);
                });
            }
        }
        let present = present.iter().map(|replica| replica.probe());
        join(self.primary.probe(), join_all(present)).await;
        *lock(&self.primary.probed) = Some(Instant::now());
        telemetry::probed(self);
    }
}

impl Replica {
    /// Looks at the server of one connection.
    async fn probe(&self) {
        let look = async {
            let mut connection = self.readers.acquire().await.ok()?;
            self.look(&mut connection).await.ok()?;
            connection.give_back();
            Some(())
        };
        if !matches!(rt::timeout(LOOK_TIMEOUT, look).await, Ok(Some(()))) {
            self.lost();
        }
    }
}

impl PrimaryServer {
    async fn probe(&self) {
        let look = async {
            let mut connection = self.readers.acquire().await.ok()?;
            let look = Look::at(&mut connection).await.ok()?;
            connection.give_back();
            Some(look)
        };
        let look = rt::timeout(LOOK_TIMEOUT, look).await;
        let mut seen = lock(&self.seen);
        match look {
            Ok(Some(look)) => seen.note(look),
            _ => seen.is_unreachable = true,
        }
    }
}
