//! Metrics of the replicas, behind the feature `metrics`.
#![cfg_attr(not(feature = "metrics"), allow(unused_variables))]

use crate::read::replicas::set::ReplicaSet;

/// A read was answered by a replica.
pub(super) fn answered(name: &str) {
    #[cfg(feature = "metrics")]
    metrics::counter!(crate::db::metrics::REPLICA_READS, "server" => name.to_owned()).increment(1);
}

/// A read went to the primary.
pub(super) fn on_primary(reason: &'static str) {
    #[cfg(feature = "metrics")]
    {
        use crate::db::metrics::{REPLICA_FALLBACKS, REPLICA_READS};
        metrics::counter!(REPLICA_READS, "server" => "primary").increment(1);
        metrics::counter!(REPLICA_FALLBACKS, "reason" => reason).increment(1);
    }
}

/// A read has waited for its position, or not.
pub(super) fn waited(name: &str, arrived: bool) {
    #[cfg(feature = "metrics")]
    {
        use crate::db::metrics::{REPLICA_WAITS, label};
        let arrived = label(arrived);
        metrics::counter!(REPLICA_WAITS, "server" => name.to_owned(), "arrived" => arrived)
            .increment(1);
    }
}

/// All servers were looked at.
pub(super) fn probed(set: &ReplicaSet) {
    #[cfg(feature = "metrics")]
    {
        use crate::db::metrics::{REPLICA_AGE, REPLICA_LAG, REPLICA_SERVING, float};
        use crate::read::replicas::state::ReplicaState;
        for replica in set.status().replicas {
            let serving = f64::from(u8::from(replica.state == ReplicaState::Serving));
            metrics::gauge!(REPLICA_SERVING, "server" => replica.name.clone()).set(serving);
            if let Some(lag) = replica.lag {
                metrics::gauge!(REPLICA_LAG, "server" => replica.name.clone()).set(float(lag));
            }
            if let Some(age) = replica.age {
                metrics::gauge!(REPLICA_AGE, "server" => replica.name).set(age.as_secs_f64());
            }
        }
    }
}
