//! Tests that a read after an own write sees it, on replicas that are late by different times.

use std::time::Instant;

use fraiseql_runtime::{Readers, Replicas, TView as _};

use super::{Counter, World, counts, read, read_own_writes, settled, sync_counter};

#[tokio::test]
async fn with_two_seconds_of_delay_no_read_after_an_own_write_is_stale() {
    let world = World::start().await;
    let delay = [("recovery_min_apply_delay", "2s")];
    let (one, two) = (
        world.cluster.replica(&delay).await,
        world.cluster.replica(&delay).await,
    );
    let replicas = Replicas::new(world.primary.clone())
        .replica(one.pool())
        .replica(two.pool());
    settled(&replicas).await;

    let start = Instant::now();
    assert_eq!(read_own_writes(&world, &replicas, 10, 10, 30).await, 0);
    let (_, waits, on_primary) = counts(&replicas).await;
    assert!(on_primary > 0, "nothing was at a replica in time");
    // Not each of 3,000 reads has waited: it is known that the replicas are late.
    assert!(start.elapsed().as_secs() < 30, "{:?}", start.elapsed());
    assert!(waits < 300, "{waits}");

    // The test can fail: without a position, reads are old.
    world.write(7, 1_000).await;
    assert_ne!(read(&replicas, 7).await, 1_000);
}

#[tokio::test]
async fn with_50_ms_of_delay_replicas_answer_most_reads_after_own_writes() {
    let world = World::start().await;
    let delay = [("recovery_min_apply_delay", "50ms")];
    let (one, two) = (
        world.cluster.replica(&delay).await,
        world.cluster.replica(&delay).await,
    );
    let replicas = Replicas::new(world.primary.clone())
        .replica(one.pool())
        .replica(two.pool());
    settled(&replicas).await;
    let (before, _, primary_before) = counts(&replicas).await;

    assert_eq!(read_own_writes(&world, &replicas, 16, 20, 1).await, 0);
    let (after, waits, on_primary) = counts(&replicas).await;
    let (by_replicas, by_primary) = (after - before, on_primary - primary_before);
    println!("{by_replicas} by replicas, {waits} of them waited, {by_primary} by the primary");
    assert_eq!(by_replicas + by_primary, 16 * 20);
    assert!(
        by_replicas * 10 >= 9 * 16 * 20,
        "{by_replicas} by replicas, {by_primary} not"
    );
    assert!(waits > 0, "the delay was too short for this test");
}

#[tokio::test]
async fn a_sync_on_replicas_is_seen_by_reads_in_every_form() {
    let world = World::start().await;
    let late = world
        .cluster
        .replica(&[("recovery_min_apply_delay", "20ms")])
        .await;
    let replicas = Replicas::new(world.primary.clone()).replica(late.pool());
    settled(&replicas).await;
    for value in 1..=20 {
        sqlx::query("UPDATE tb_counter SET value = $1 WHERE id = 7")
            .bind(value)
            .execute(&world.primary)
            .await
            .unwrap();
        let report = sync_counter(&replicas, &[7]).await.unwrap();
        assert_eq!(report.updated, 1);
        let position = report.position();
        assert!(position.is_some());
        let now = replicas.at_least(position);
        let all = Counter::find_many(&now, &[7, 8]).await.unwrap();
        assert_eq!((all[0].value, all.len()), (value, 2));
        let readers = Readers::from(replicas.clone()).at_least(position);
        let listed = Counter::list().fetch::<Counter>(&readers).await.unwrap();
        assert_eq!((listed[6].value, listed.len()), (value, 100));
        assert_eq!(
            Counter::find(&now, 101).await.unwrap().map(|one| one.id),
            None
        );
    }
    let (by_replicas, ..) = counts(&replicas).await;
    assert!(by_replicas >= 54, "{by_replicas} of 60");
    // Inside of a transaction there is no position: nothing was committed.
    let mut tx = world.primary.begin().await.unwrap();
    assert_eq!(sync_counter(&mut tx, &[7]).await.unwrap().position(), None);
}

#[tokio::test]
async fn an_asynchronous_commit_is_in_its_position() {
    let world = World::start().await;
    let replica = world.cluster.replica(&[]).await;
    // The log is written, and sent, 200 ms later.
    let replicas = Replicas::new(world.primary.clone())
        .replica(replica.pool())
        .max_wait(10 * super::SECOND);
    settled(&replicas).await;
    for value in 1..=10 {
        let mut m = world.model.mutation(&world.primary).await.unwrap();
        sqlx::query("SET LOCAL synchronous_commit = off")
            .execute(&mut *m)
            .await
            .unwrap();
        sqlx::query("UPDATE tb_counter SET value = $1 WHERE id = 7")
            .bind(value)
            .execute(&mut *m)
            .await
            .unwrap();
        m.changed::<Counter>(&[7]);
        let position = m.commit().await.unwrap().position();
        assert_eq!(read(replicas.at_least(position), 7).await, value);
    }
    let (by_replicas, waits, on_primary) = counts(&replicas).await;
    assert_eq!((by_replicas, on_primary), (10, 0));
    assert!(waits > 0, "the log was written at once");
}
