//! Tests of reads on streaming replicas: they see own writes, and no server that lags, is lost, is promoted or
//! is foreign makes them wrong, or fail.

mod answers;
mod changes;
mod http;
mod own_writes;
mod positions;
mod row_security;

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use fraiseql_runtime::read::ReplicaState;
use fraiseql_runtime::{MutationReport, ReadModel, ReadTarget, Replicas, TView, WalPosition};
use fraiseql_tests::cluster::{Cluster, until};
use sqlx::PgPool;

/// A counter, whose document says which write it has seen.
#[derive(Debug, TView)]
struct Counter {
    id: i64,
    value: i64,
    #[tview(many(fk = "counter_id", order_by = "id"))]
    steps: Vec<Step>,
}

#[derive(Debug, fraiseql_runtime::Embed)]
#[tview(table = "tb_step")]
#[allow(dead_code)]
struct Step {
    id: i64,
}

const TABLES: &str = "CREATE TABLE tb_counter (id int8 PRIMARY KEY, value int8 NOT NULL);
    CREATE TABLE tb_step (id int8 PRIMARY KEY, counter_id int8 NOT NULL REFERENCES tb_counter);
    CREATE INDEX ON tb_step (counter_id);
    INSERT INTO tb_counter SELECT i, 0 FROM generate_series(1, 100) AS i;
    INSERT INTO tb_step SELECT i, 1 + i % 100 FROM generate_series(1, 300) AS i";

/// A primary with 100 counters, and what writes to it.
struct World {
    cluster: Cluster,
    primary: PgPool,
    model: ReadModel,
}

impl World {
    /// On a primary that other tests write to, too.
    async fn start() -> Self {
        Self::on(Cluster::shared().await).await
    }

    /// On a primary of its own, which is another system.
    async fn alone() -> Self {
        Self::on(Cluster::start().await).await
    }

    async fn on(cluster: Cluster) -> Self {
        let primary = cluster.primary().await;
        sqlx::raw_sql(TABLES).execute(&primary).await.unwrap();
        let model = ReadModel::builder().view::<Counter>().build().unwrap();
        model.migrate(&primary).await.unwrap();
        sync_all_counters(&primary).await.unwrap();
        Self {
            cluster,
            primary,
            model,
        }
    }

    async fn write(&self, id: i64, value: i64) -> Option<WalPosition> {
        write(&self.model, &self.primary, id, value).await.unwrap()
    }
}

/// Sets a counter by a mutation.
async fn write(
    model: &ReadModel,
    primary: &PgPool,
    id: i64,
    value: i64,
) -> fraiseql_runtime::Result<Option<WalPosition>> {
    Ok(commit(model, primary, id, value).await?.position())
}

async fn commit(
    model: &ReadModel,
    primary: &PgPool,
    id: i64,
    value: i64,
) -> fraiseql_runtime::Result<MutationReport> {
    let mut m = model.mutation(primary).await?;
    sqlx::query("UPDATE tb_counter SET value = $2 WHERE id = $1")
        .bind(id)
        .bind(value)
        .execute(&mut *m)
        .await
        .unwrap();
    m.changed::<Counter>(&[id]);
    m.commit().await
}

async fn read(target: impl ReadTarget, id: i64) -> i64 {
    let counter = Counter::find(target, id).await.unwrap().unwrap();
    assert_eq!((counter.id, counter.steps.len()), (id, 3));
    counter.value
}

/// Waits until all replicas are in the set, and have replayed everything that was written before.
async fn settled(replicas: &Replicas) {
    let mut connection = replicas.primary().acquire().await.unwrap();
    let now = WalPosition::current(&mut connection).await.unwrap();
    until("all replicas are in the set", async || {
        let status = replicas.status().await;
        let mut all = status.replicas.iter();
        all.all(|one| one.state == ReplicaState::Serving && one.replayed >= Some(now))
    })
    .await;
}

async fn state(replicas: &Replicas, index: usize) -> ReplicaState {
    replicas.status().await.replicas[index].state
}

/// How many reads replicas have answered, how many of them waited, and how many the primary has answered.
async fn counts(replicas: &Replicas) -> (u64, u64, u64) {
    let status = replicas.status().await;
    let sum = |count: fn(&fraiseql_runtime::read::ReplicaStatus) -> u64| {
        status.replicas.iter().map(count).sum()
    };
    (
        sum(|one| one.reads),
        sum(|one| one.waits),
        status.primary_reads,
    )
}

/// Clients that write and then read what they wrote, each on a counter of its own, until all have done that a
/// number of times. Returns the number of stale reads.
async fn read_own_writes(
    world: &World,
    replicas: &Replicas,
    clients: i64,
    times: i64,
    reads: i64,
) -> i64 {
    let stale = AtomicI64::new(0);
    let client = async |id: i64| {
        for value in 1..=times {
            let position = world.write(id, value).await;
            assert!(position.is_some());
            for _ in 0..reads {
                let seen = read(replicas.at_least(position), id).await;
                stale.fetch_add(i64::from(seen != value), Ordering::Relaxed);
            }
        }
    };
    futures_util::future::join_all((1..=clients).map(client)).await;
    stale.into_inner()
}

const SECOND: Duration = Duration::from_secs(1);
