//! Tests that one service runs on a recorder, on a pool and in a transaction.

use fraiseql_runtime::{Recorder, Result, SyncReport, SyncTarget, TView as _};
use fraiseql_tests::world::blog::{self, ADA, Post, migrated, post, sync_post};
use sqlx::PgPool;
use uuid::Uuid;

/// A repository of posts.
trait Posts: Send + Sync {
    fn rename(
        &self,
        author: Uuid,
        name: &str,
    ) -> impl Future<Output = sqlx::Result<Vec<Uuid>>> + Send;
}

impl Posts for PgPool {
    async fn rename(&self, author: Uuid, name: &str) -> sqlx::Result<Vec<Uuid>> {
        sqlx::query("UPDATE tb_user SET full_name = $1 WHERE id = $2")
            .bind(name)
            .bind(author)
            .execute(self)
            .await?;
        sqlx::query_scalar("SELECT id FROM tb_post WHERE author_id = $1")
            .bind(author)
            .fetch_all(self)
            .await
    }
}

/// Posts of one author.
struct InMemory(Vec<Uuid>);

impl Posts for InMemory {
    async fn rename(&self, _: Uuid, _: &str) -> sqlx::Result<Vec<Uuid>> {
        Ok(self.0.clone())
    }
}

/// A service that holds its target, and syncs any number of times.
struct Service<P, S> {
    posts: P,
    target: S,
}

impl<P: Posts, S> Service<P, S>
where
    for<'a> &'a S: SyncTarget,
{
    async fn rename(&self, author: Uuid, name: &str) -> anyhow::Result<u64> {
        let keys = self.posts.rename(author, name).await?;
        let mut written = 0;
        for key in keys {
            written += sync_post(&self.target, &[key]).await?.changed();
        }
        Ok(written)
    }
}

/// A service function that syncs once.
async fn publish<T: SyncTarget>(target: T, key: Uuid) -> Result<SyncReport> {
    sync_post(target, &[key]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn one_service_runs_on_a_recorder_and_on_a_pool() -> anyhow::Result<()> {
    let recorder = Recorder::new();
    let service = Service {
        posts: InMemory(vec![post(1), post(2)]),
        target: recorder.clone(),
    };
    // In a task, so that its future must be `Send`.
    let written = tokio::spawn(async move { service.rename(ADA, "Countess").await }).await??;
    assert_eq!(written, 2);
    recorder.assert_synced::<Post>(&[post(2), post(1)]);
    recorder.assert_no_more();

    let pool = migrated(2).await;
    let service = Service {
        posts: pool.clone(),
        target: pool.clone(),
    };
    let written = tokio::spawn(async move { service.rename(ADA, "Countess").await }).await??;
    assert_eq!(written, 2);
    let found = Post::find(&pool, post(1)).await?.expect("synced");
    assert_eq!(found.author.full_name, "Countess");

    let service = Service {
        posts: pool.clone(),
        target: blog::model().on(pool.clone()),
    };
    let written = tokio::spawn(async move { service.rename(ADA, "Ada").await }).await??;
    assert_eq!(written, 2);
    Ok(())
}

#[tokio::test]
async fn a_function_takes_any_target_by_value() -> anyhow::Result<()> {
    let recorder = Recorder::new();
    publish(&recorder, post(1)).await?;
    recorder.assert_synced::<Post>(&[post(1)]);
    let pool = migrated(2).await;
    assert_eq!(publish(&pool, post(1)).await?.inserted, 1);
    let mut tx = pool.begin().await?;
    assert_eq!(publish(&mut tx, post(2)).await?.inserted, 1);
    tx.commit().await?;
    Ok(())
}
