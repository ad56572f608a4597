//! Tests that reads go on while replicas are killed, promoted, paused, restored or exchanged.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use fraiseql_runtime::read::ReplicaState;
use fraiseql_runtime::{Error, Replicas, TView as _};
use fraiseql_tests::cluster::until;
use sqlx::{Connection as _, PgConnection};

use super::{Counter, World, counts, read, settled, state, write};

/// Clients that write, read what they wrote, and read something else without a position, until they are
/// stopped. A read that fails, or is stale, is a panic.
struct Load {
    stop: Arc<AtomicBool>,
    reads: Arc<AtomicI64>,
    clients: Vec<tokio::task::JoinHandle<()>>,
}

impl Load {
    fn start(world: &World, replicas: &Replicas) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let reads = Arc::new(AtomicI64::new(0));
        let client = |id: i64| {
            let (stop, reads) = (Arc::clone(&stop), Arc::clone(&reads));
            let (model, primary) = (world.model.clone(), world.primary.clone());
            let replicas = replicas.clone();
            tokio::spawn(async move {
                let mut value = 0;
                while !stop.load(Ordering::Relaxed) {
                    value += 1;
                    let position = write(&model, &primary, id, value).await.unwrap();
                    for _ in 0..5 {
                        assert_eq!(read(replicas.at_least(position), id).await, value);
                        read(&replicas, 100 - id).await;
                        let list = Counter::list().limit(5).fetch::<Counter>(&replicas).await;
                        assert_eq!(list.unwrap().len(), 5);
                        reads.fetch_add(3, Ordering::Relaxed);
                    }
                }
            })
        };
        Self {
            clients: (1..=8).map(client).collect(),
            stop,
            reads,
        }
    }

    /// Lets the clients read for a while.
    async fn go_on(&self) {
        let before = self.reads.load(Ordering::Relaxed);
        until("the reads go on", async || {
            assert!(
                !self.clients.iter().any(|client| client.is_finished()),
                "a read failed"
            );
            self.reads.load(Ordering::Relaxed) > before + 120
        })
        .await;
    }

    async fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        for client in self.clients {
            client.await.unwrap();
        }
    }
}

async fn becomes(replicas: &Replicas, index: usize, wanted: ReplicaState) {
    until(&format!("replica {index} is {wanted}"), async || {
        state(replicas, index).await == wanted
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_read_fails_while_replicas_are_killed_promoted_and_restored() {
    let world = World::start().await;
    let (mut one, mut two) = (
        world.cluster.replica(&[]).await,
        world.cluster.replica(&[]).await,
    );
    let replicas = Replicas::new(world.primary.clone())
        .replica(one.pool())
        .replica(two.pool());
    settled(&replicas).await;
    let load = Load::start(&world, &replicas);
    load.go_on().await;

    // A crash, with the other one, and then with the primary alone.
    one.kill();
    load.go_on().await;
    becomes(&replicas, 0, ReplicaState::Unreachable).await;
    two.kill();
    load.go_on().await;
    becomes(&replicas, 1, ReplicaState::Unreachable).await;
    one.start(&world.cluster).await;
    becomes(&replicas, 0, ReplicaState::Serving).await;
    two.start(&world.cluster).await;
    becomes(&replicas, 1, ReplicaState::Serving).await;
    let before = counts(&replicas).await.0;
    load.go_on().await;
    assert!(
        counts(&replicas).await.0 > before,
        "the replicas answer again"
    );

    // A promotion by mistake: the server has a history of its own, which nobody reads.
    let mut promoted = one.promote().await;
    sqlx::query("UPDATE tv_counter SET data = jsonb_set(data, '{steps}', '[]')")
        .execute(&mut promoted)
        .await
        .unwrap();
    becomes(&replicas, 0, ReplicaState::Promoted).await;
    load.go_on().await;
    promoted.close().await.unwrap();

    // Restored, as a new copy at the same address.
    one.discard();
    load.go_on().await;
    one.start(&world.cluster).await;
    becomes(&replicas, 0, ReplicaState::Serving).await;
    load.go_on().await;
    load.end().await;
}

/// A promotion by mistake, again, with a replica that follows the promoted server.
#[tokio::test]
async fn a_replica_that_follows_a_promoted_one_is_not_read() {
    let world = World::start().await;
    let one = world.cluster.replica(&[]).await;
    let socket = one.options().get_socket().unwrap().display().to_string();
    let upstream = format!("host={socket} port=5432 user=postgres");
    let two = world
        .cluster
        .replica(&[("primary_conninfo", &upstream)])
        .await;
    let replicas = Replicas::new(world.primary.clone()).replica(two.pool());
    settled(&replicas).await;
    let mut connection = one.promote().await;
    // What the promoted server writes is at its replica, and beyond what the primary writes.
    for _ in 0..20 {
        sqlx::query("UPDATE tv_counter SET data = jsonb_set(data, '{value}', '-1')")
            .execute(&mut connection)
            .await
            .unwrap();
    }
    let mut forged = 0;
    for value in 1..=50 {
        let position = world.write(7, value).await;
        assert_eq!(read(replicas.at_least(position), 7).await, value);
        forged += i32::from(read(&replicas, 8).await == -1);
    }
    becomes(&replicas, 0, ReplicaState::OtherTimeline).await;
    assert_eq!(read(&replicas, 8).await, 0);
    println!("{forged} of 50 reads without a position came before that was noticed");
}

#[tokio::test]
async fn a_paused_replica_leaves_the_set_and_comes_back() {
    let world = World::alone().await;
    let replica = world.cluster.replica(&[]).await;
    let replicas = Replicas::new(world.primary.clone())
        .replica(replica.pool())
        .max_age(Duration::from_millis(500));
    settled(&replicas).await;
    let mut connection = PgConnection::connect_with(&replica.options())
        .await
        .unwrap();
    sqlx::query("SELECT pg_wal_replay_pause()")
        .execute(&mut connection)
        .await
        .unwrap();

    // Nothing is missing: it stays for as long as nothing is written.
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert_eq!(state(&replicas, 0).await, ReplicaState::Serving);
    world.write(7, 1).await;
    becomes(&replicas, 0, ReplicaState::Lagging).await;
    let status = &replicas.status().await.replicas[0];
    assert!(
        status.lag > Some(0) && status.age >= Some(Duration::from_millis(500)),
        "{status}"
    );
    let (before, _, primary_before) = counts(&replicas).await;
    for _ in 0..20 {
        assert_eq!(read(&replicas, 7).await, 1);
    }
    assert_eq!(counts(&replicas).await, (before, 0, primary_before + 20));

    sqlx::query("SELECT pg_wal_replay_resume()")
        .execute(&mut connection)
        .await
        .unwrap();
    becomes(&replicas, 0, ReplicaState::Serving).await;
    assert_eq!(read(&replicas, 7).await, 1);
    assert_eq!(counts(&replicas).await.0, before + 1);
}

#[tokio::test]
async fn a_replica_that_is_behind_by_too_many_bytes_leaves_the_set() {
    let world = World::alone().await;
    let late = world
        .cluster
        .replica(&[("recovery_min_apply_delay", "1min")])
        .await;
    let replicas = Replicas::new(world.primary.clone())
        .replica(late.pool())
        .max_lag(200_000);
    world.write(7, 1).await;
    assert_eq!(state(&replicas, 0).await, ReplicaState::Serving);
    for value in 2..=300 {
        world.write(7, value).await;
    }
    becomes(&replicas, 0, ReplicaState::Lagging).await;
    assert_eq!(read(&replicas, 7).await, 300);
}

#[tokio::test]
async fn a_foreign_server_is_never_read() {
    let world = World::start().await;
    let replica = world.cluster.replica(&[]).await;
    // Another system, with the same tables and other documents; and its replica.
    let other = World::alone().await;
    for id in 1..=100 {
        other.write(id, -1).await;
    }
    let other_replica = other.cluster.replica(&[]).await;
    let of_other = other_replica.pool();
    let database = other.cluster.database.get_database().unwrap();
    assert!(
        Counter::find(&of_other, 7).await.unwrap().unwrap().value == -1,
        "{database}"
    );

    let replicas = Replicas::new(world.primary.clone())
        .replica(of_other)
        .replica(replica.pool())
        .replica(other.primary.clone());
    until("the replica is in the set", async || {
        state(&replicas, 1).await == ReplicaState::Serving
    })
    .await;
    assert_eq!(state(&replicas, 0).await, ReplicaState::Foreign);
    assert_eq!(state(&replicas, 2).await, ReplicaState::Foreign);
    for id in 1..=100 {
        assert_eq!(read(&replicas, id).await, 0);
    }
    // Positions of one system mean nothing in another.
    let position = other.write(7, -2).await;
    assert_eq!(read(replicas.at_least(position), 7).await, 0);
    let status = replicas.status().await;
    let reads: Vec<u64> = status.replicas.iter().map(|one| one.reads).collect();
    assert_eq!(reads, [0, 100, 0], "{status}");
}

/// A pool whose address leads to another server, as behind a load balancer or after a failover of DNS.
#[tokio::test]
async fn an_address_that_moves_to_a_foreign_server_misleads_no_read() {
    let world = World::start().await;
    let replica = world.cluster.replica(&[]).await;
    let other = World::alone().await;
    for id in 1..=100 {
        other.write(id, -1).await;
    }
    let other_replica = other.cluster.replica(&[]).await;
    let pool = replica.pool();
    let replicas = Replicas::new(world.primary.clone()).replica(pool.clone());
    settled(&replicas).await;
    read(&replicas, 7).await;

    // New connections lead there, while old ones are still open: the pool has both.
    pool.set_connect_options(other_replica.options());
    let reads = (0..400).map(|index| read(&replicas, 1 + index % 100));
    let seen = futures_util::future::join_all(reads).await;
    assert!(seen.iter().all(|value| *value == 0));
    becomes(&replicas, 0, ReplicaState::Foreign).await;
    assert_eq!(read(&replicas, 7).await, 0);
}

#[tokio::test]
async fn without_a_primary_replicas_go_on_reading() {
    let mut world = World::alone().await;
    let replica = world.cluster.replica(&[]).await;
    let replicas = Replicas::new(world.primary.clone()).replica(replica.pool());
    let position = world.write(7, 1).await;
    settled(&replicas).await;
    world.cluster.stop_primary();
    assert!(write(&world.model, &world.primary, 7, 2).await.is_err());
    for _ in 0..50 {
        assert_eq!(read(replicas.at_least(position), 7).await, 1);
        assert_eq!(read(&replicas, 7).await, 1);
    }
    assert_eq!(counts(&replicas).await, (100, 0, 0));
    assert!(replicas.status().await.primary_is_unreachable);
}

/// The address of the primary leads to a replica: it has no position of its own, and may lack what was written.
#[tokio::test]
async fn a_replica_in_the_place_of_the_primary_answers_no_read_with_a_position() {
    let world = World::alone().await;
    let first = world.cluster.replica(&[]).await;
    let other = world.cluster.replica(&[]).await;
    let replicas = Replicas::new(first.pool()).replica(other.pool());
    let position = world.write(7, 1).await;
    until("it has the documents", async || {
        Counter::find(&first.pool(), 7).await.is_ok()
    })
    .await;
    let status = replicas.status().await;
    assert!(status.primary_is_replica, "{status}");
    assert_eq!(status.primary, None);
    read(&replicas, 7).await;
    let error = Counter::find(&replicas.at_least(position), 7)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::PrimaryIsReplica), "{error}");
}

#[tokio::test]
async fn after_a_failover_positions_from_before_it_lead_to_replicas_of_the_new_primary() {
    let mut world = World::alone().await;
    let one = world.cluster.replica(&[]).await;
    let upstream = one.options().get_socket().unwrap().display().to_string();
    let upstream = format!("host={upstream} port=5432 user=postgres");
    let two = world
        .cluster
        .replica(&[("primary_conninfo", &upstream)])
        .await;
    let replicas = Replicas::new(world.primary.clone()).replica(two.pool());
    let before = world.write(7, 1).await.unwrap();
    settled(&replicas).await;

    world.cluster.stop_primary();
    let _promoted = one.promote().await;
    // As the name of the primary does, which leads to the new one after a failover.
    world.primary.set_connect_options(one.options());
    becomes(&replicas, 0, ReplicaState::Serving).await;
    let (answered, ..) = counts(&replicas).await;
    for _ in 0..10 {
        assert_eq!(read(replicas.at_least(before), 7).await, 1);
    }
    assert_eq!(counts(&replicas).await.0, answered + 10);

    // What was lost is nowhere, and what is written now is of the new timeline.
    let text = before.to_string();
    let (history, _) = text.rsplit_once('-').unwrap();
    let lost: fraiseql_runtime::WalPosition = format!("{history}-ffffffffffff").parse().unwrap();
    assert_eq!(read(replicas.at_least(lost), 7).await, 1);
    let after = world.write(7, 2).await.unwrap();
    assert_eq!(before.partial_cmp(&after), None);
    assert_eq!(read(replicas.at_least(after), 7).await, 2);
    assert_eq!(read(replicas.at_least(before).at_least(after), 7).await, 2);
}
