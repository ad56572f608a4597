//! Syncs, reads and jobs behind a pooler.

use std::time::Duration;

use fraiseql_runtime::{Capture, TView, assert_synced};
use fraiseql_tests::run;
use fraiseql_tests::world::worked::{Post, User, sync_all_posts, sync_post};
use fraiseql_tests::world::{ODD_SESSION, numbered_blog};
use sqlx::Executor as _;
use tokio::task::JoinSet;

use super::{Pooled, blog, change, pooled};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn syncs_and_reads_of_many_clients() -> anyhow::Result<()> {
    let (Pooled { direct, clients }, model) = blog(16, 2, Capture::Off).await;
    let mut tasks = JoinSet::new();
    for client in 0..16_i64 {
        let clients = clients.clone();
        tasks.spawn(async move {
            for round in 0..4 {
                let post = 1 + (client + round) % 6;
                sqlx::query("UPDATE tb_post SET title = title || '.' WHERE id = $1")
                    .bind(post)
                    .execute(&clients)
                    .await?;
                match client % 3 {
                    0 => drop(sync_post(&clients, &[post]).await?),
                    1 => drop(sync_all_posts(&clients).connections(3).await?),
                    _ => {
                        let mut tx = clients.begin().await?;
                        sync_post(&mut tx, &[post]).await?;
                        tx.commit().await?;
                    }
                }
                let found = Post::find(&clients, post).await?.expect("it exists");
                anyhow::ensure!(found.title.contains('.'), "{found:?}");
                anyhow::ensure!(Post::list().fetch::<Post>(&clients).await?.len() == 6);
                anyhow::ensure!(Post::find_many(&clients, &[1, 2, 3]).await?.len() == 3);
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    assert_synced(&model, &direct).await;
    assert!(model.verify(&clients).await?.is_clean());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_drain_what_clients_change() -> anyhow::Result<()> {
    let (Pooled { direct, clients }, model) = blog(8, 2, Capture::Queue).await;
    let mut workers = JoinSet::new();
    let (stop, _) = tokio::sync::broadcast::channel::<()>(1);
    for _ in 0..2 {
        let (model, clients, mut stop) = (model.clone(), clients.clone(), stop.subscribe());
        workers.spawn(async move {
            let stopped = async move { drop(stop.recv().await) };
            anyhow::Ok(model.worker(&clients).run(stopped).await?)
        });
    }
    let mut writers = JoinSet::new();
    for client in 1..=8 {
        let clients = clients.clone();
        writers.spawn(async move {
            for round in 0..6 {
                // Of a program that knows nothing of documents.
                change(&mut *clients.acquire().await?, client, round).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = writers.join_next().await {
        done??;
    }
    let drained = async {
        while model.changes(&clients).await.unwrap().pending > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), drained).await?;
    drop(stop);
    while let Some(done) = workers.join_next().await {
        done??;
    }
    assert_eq!(model.changes(&clients).await?.dead, 0);
    assert_synced(&model, &direct).await;
    Ok(())
}

mod live {
    use chrono::{DateTime, Utc};

    #[derive(Debug, fraiseql_runtime::TView)]
    #[tview(table = "tb_post", storage = "live")]
    pub(super) struct Draft {
        pub(super) id: i64,
        #[tview(sort)]
        pub(super) title: String,
        #[tview(filter, sort)]
        pub(super) created_at: DateTime<Utc>,
    }
}

/// The sessions of the server that clients get in turn have different settings.
#[tokio::test]
async fn documents_are_built_alike_on_every_connection() -> anyhow::Result<()> {
    let Pooled { direct, clients } = pooled(4, 2).await;
    numbered_blog()
        .rows(3)
        .column(
            "tb_post",
            "created_at timestamptz NOT NULL DEFAULT '2026-07-10T12:00:00Z'",
        )
        .on(&direct)
        .await;
    // One of the two keeps what was set there; PgBouncer knows of none of it but the time zone.
    let mut odd = clients.begin().await?;
    let other = clients.begin().await?;
    odd.execute(ODD_SESSION).await?;
    odd.commit().await?;
    other.commit().await?;
    for _ in 0..8 {
        let draft = live::Draft::find(&clients, 2).await?.expect("it exists");
        assert_eq!(draft.title, "Post 2");
        assert_eq!(draft.created_at.to_rfc3339(), "2026-07-10T12:00:00+00:00");
        let listed = live::Draft::list().fetch::<live::Draft>(&clients).await?;
        assert_eq!(listed.len(), 3);
        assert!(
            listed
                .iter()
                .all(|other| other.created_at == draft.created_at)
        );
    }
    Ok(())
}

/// A future that is dropped in the middle leaves neither a transaction nor the answer of its statement to the
/// next client.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropped_futures_leave_nothing_to_others() -> anyhow::Result<()> {
    let (Pooled { direct, clients }, model) = blog(8, 2, Capture::Queue).await;
    for micros in (0..40).map(|i| 100 * i) {
        let dropped = async {
            let mut m = model.mutation(&clients).await?;
            sqlx::query("UPDATE tb_post SET title = 'Lost' WHERE id = 1")
                .execute(&mut *m)
                .await?;
            sync_post(&clients, &[2]).await?;
            std::future::pending::<anyhow::Result<()>>().await
        };
        let done = tokio::time::timeout(Duration::from_micros(micros), dropped).await;
        assert!(done.is_err(), "it never ends");
        let user = User::find(&clients, 2).await?.expect("it exists");
        assert_eq!((user.id, &*user.name), (2, "Bob"));
    }
    run(&clients, "UPDATE tb_post SET title = 'Found' WHERE id = 1").await;
    model.worker(&clients).drain().await?;
    assert_synced(&model, &direct).await;
    let open: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM pg_stat_activity
         WHERE datname = current_database() AND state LIKE 'idle in transaction%'",
    )
    .fetch_one(&direct)
    .await?;
    assert_eq!(open, 0);
    Ok(())
}
