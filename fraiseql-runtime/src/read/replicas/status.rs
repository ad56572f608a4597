//! What an operator sees of the replicas.

use std::fmt;
use std::time::{Duration, Instant};

use crate::db::wal_position::WalPosition;
use crate::mutex::lock;
use crate::read::replicas::replica::{Counters, Replica};
use crate::read::replicas::set::ReplicaSet;
use crate::read::replicas::state::ReplicaState;

/// The state of one replica: see [`Replicas::status`](crate::Replicas::status).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReplicaStatus {
    /// The address of its pool: `replica1.example.com:5432`.
    pub name: String,
    /// Whether it is in the set, or why not.
    pub state: ReplicaState,
    /// What it has replayed. `None` if it cannot be reached.
    pub replayed: Option<WalPosition>,
    /// How many bytes of the primary's log it has not replayed. `None` if it is not a replica of the
    /// primary's timeline.
    pub lag: Option<u64>,
    /// Since when the primary has had what it has not; zero if nothing is missing.
    pub age: Option<Duration>,
    /// The number of reads that it has answered.
    pub reads: u64,
    /// How many of them waited for a position.
    pub waits: u64,
    /// The number of reads that failed there, and were answered elsewhere.
    pub failures: u64,
}

/// The state of all servers: see [`Replicas::status`](crate::Replicas::status).
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
/// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY)", async |pool| {
/// use fraiseql_runtime::Replicas;
/// use fraiseql_runtime::read::ReplicaState;
///
/// // A server that is no replica: it is not read.
/// let replicas = Replicas::new(pool.clone()).replica(pool);
/// let status = replicas.status().await;
/// assert!(status.primary.is_some() && !status.primary_is_unreachable);
/// assert_eq!(status.replicas[0].state, ReplicaState::Promoted);
/// // primary: reachable, 0 reads
/// // 10.0.0.2:5432: promoted, 0 reads
/// println!("{status}");
/// # Ok(()) }) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReplicasStatus {
    /// Where the primary's log was when it was last reached.
    pub primary: Option<WalPosition>,
    /// Whether the primary cannot be reached now.
    pub primary_is_unreachable: bool,
    /// Whether the server of the primary's pool is itself a replica: then it cannot write.
    pub primary_is_replica: bool,
    /// The number of reads that the primary has answered.
    pub primary_reads: u64,
    /// The replicas, in the order in which they were added.
    pub replicas: Vec<ReplicaStatus>,
}

impl ReplicaSet {
    pub(super) fn status(&self) -> ReplicasStatus {
        let replicas = self.replicas.iter().map(|replica| self.status_of(replica));
        let replicas = replicas.collect();
        let primary = lock(&self.primary.seen);
        ReplicasStatus {
            primary: primary.last().map(|look| look.position),
            primary_is_unreachable: primary.is_unreachable,
            primary_is_replica: primary.is_standby,
            primary_reads: Counters::get(&self.primary.counters.reads),
            replicas,
        }
    }

    fn status_of(&self, replica: &Replica) -> ReplicaStatus {
        let look = replica.last();
        let state = match &look {
            Some(look) => self.state_of(look),
            None if replica.is_unreachable() => ReplicaState::Unreachable,
            None => ReplicaState::Unknown,
        };
        let replayed = look.map(|look| look.position);
        let follows = matches!(state, ReplicaState::Serving | ReplicaState::Lagging);
        let primary = lock(&self.primary.seen);
        let followed = replayed.filter(|_| follows);
        ReplicaStatus {
            name: replica.name.clone(),
            state,
            replayed,
            lag: followed.and_then(|replayed| primary.lag(replayed)),
            age: followed.map(|replayed| primary.age(replayed, Instant::now())),
            reads: Counters::get(&replica.counters.reads),
            waits: Counters::get(&replica.counters.waits),
            failures: Counters::get(&replica.counters.failures),
        }
    }
}

impl fmt::Display for ReplicaStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.state)?;
        if let (Some(lag), Some(age)) = (self.lag, self.age) {
            write!(f, ", {lag} bytes and {age:.1?} behind")?;
        }
        write!(f, ", {} reads", self.reads)?;
        if self.waits > 0 {
            write!(f, ", {} of them waited", self.waits)?;
        }
        if self.failures > 0 {
            write!(f, ", {} failed", self.failures)?;
        }
        Ok(())
    }
}

impl fmt::Display for ReplicasStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match (self.primary_is_unreachable, self.primary_is_replica) {
            (true, _) => "unreachable",
            (false, true) => "in recovery",
            (false, false) => "reachable",
        };
        write!(f, "primary: {state}, {} reads", self.primary_reads)?;
        for replica in &self.replicas {
            write!(f, "\n{replica}")?;
        }
        Ok(())
    }
}
