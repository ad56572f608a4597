//! The blog with a log, for the tests of who is told what a sync does.

use std::time::Duration;

use fraiseql_runtime::{ReadModel, Result, SyncLog, SyncReport};
use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection, PgConnection, PgPool};
use uuid::Uuid;

use crate::blog::{Post, TABLES};
use crate::run;

/// The author of all posts.
pub const ADA: Uuid = Uuid::from_u128(0xada);

/// The key of the post `n`.
#[must_use]
pub fn post(n: u32) -> Uuid {
    Uuid::from_u128(u128::from(n))
}

/// The keys of some posts.
#[must_use]
pub fn posts(range: std::ops::RangeInclusive<u32>) -> Vec<Uuid> {
    range.map(post).collect()
}

/// A database with posts 1 to `count`, and a read model with a log.
///
/// # Panics
/// When the database refuses.
pub async fn blog(count: u32) -> (PgPool, SyncLog, ReadModel) {
    let pool = crate::pool().await;
    blog_on(pool, count, |log| log).await
}

/// The same on this pool, with this log.
///
/// # Panics
/// When the database refuses.
pub async fn blog_on(
    pool: PgPool,
    count: u32,
    set: impl FnOnce(SyncLog) -> SyncLog,
) -> (PgPool, SyncLog, ReadModel) {
    run(&pool, TABLES).await;
    let log = set(SyncLog::new(pool.clone()));
    let model = ReadModel::builder()
        .view::<Post>()
        .sync_log(log.clone())
        .build()
        .unwrap();
    model.migrate(&pool).await.unwrap();
    sqlx::query("INSERT INTO tb_user VALUES ($1, 'ada', 'Ada')")
        .bind(ADA)
        .execute(&pool)
        .await
        .unwrap();
    sqlx::query(
        "INSERT INTO tb_post (id, author_id, title)
         SELECT key, $1, 'Post ' || n FROM unnest($2::uuid[]) WITH ORDINALITY AS keys (key, n)",
    )
    .bind(ADA)
    .bind(posts(1..=count))
    .execute(&pool)
    .await
    .unwrap();
    (pool, log, model)
}

/// Changes every document.
///
/// # Panics
/// When the database refuses.
pub async fn rename(pool: &PgPool, name: &str) {
    sqlx::query("UPDATE tb_user SET full_name = $1")
        .bind(name)
        .execute(pool)
        .await
        .unwrap();
}

/// From now on a sync that writes the document of post 2 fails, for a reason that is not the
/// document's.
///
/// # Panics
/// When the database refuses.
pub async fn refuse_post_2(pool: &PgPool) {
    run(
        pool,
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF NEW.data->>'title' = 'Post 2' THEN
                 RAISE EXCEPTION 'not now' USING ERRCODE = 'object_not_in_prerequisite_state';
             END IF;
             RETURN NEW;
         END $$;
         CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON tv_post
             FOR EACH ROW EXECUTE FUNCTION refuse()",
    )
    .await;
}

/// Inserted, updated, unchanged, deleted.
#[must_use]
pub fn counts(report: &SyncReport) -> [u64; 4] {
    [
        report.inserted,
        report.updated,
        report.unchanged,
        report.deleted,
    ]
}

/// Waits until a session of this database waits for a lock.
///
/// # Panics
/// When none does for some seconds.
pub async fn wait_for_a_lock(pool: &PgPool) {
    for _ in 0..1_000 {
        let waiting: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT FROM pg_stat_activity
             WHERE datname = current_database() AND wait_event_type = 'Lock')",
        )
        .fetch_one(pool)
        .await
        .unwrap();
        if waiting {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("nobody waits for a lock");
}

/// The pool's session meets a deadlock, sees it first, and runs its batch again.
///
/// # Errors
/// When the batch fails, or the other session does.
pub async fn deadlocked<F>(
    pool: &PgPool,
    work: impl FnOnce(PgPool) -> F,
) -> anyhow::Result<SyncReport>
where
    F: Future<Output = Result<SyncReport>>,
{
    let impatient = (*pool.connect_options())
        .clone()
        .options([("deadlock_timeout", "1s")]);
    let impatient = PgPoolOptions::new()
        .max_connections(1)
        .connect_with(impatient)
        .await?;
    let mut other = PgConnection::connect_with(&pool.connect_options()).await?;
    sqlx::raw_sql("SET deadlock_timeout = '60s'; BEGIN")
        .execute(&mut other)
        .await?;
    let lock = "SELECT FROM tv_post WHERE id = $1 FOR UPDATE";
    // A mark that is left on the first document, so that the batch locks both.
    sqlx::raw_sql("SAVEPOINT mark").execute(&mut other).await?;
    sqlx::query(lock).bind(post(1)).execute(&mut other).await?;
    sqlx::raw_sql("ROLLBACK TO SAVEPOINT mark")
        .execute(&mut other)
        .await?;
    sqlx::query(lock).bind(post(2)).execute(&mut other).await?;
    let against = async {
        // The batch has locked the first document, and waits for the second.
        wait_for_a_lock(pool).await;
        sqlx::query(lock).bind(post(1)).execute(&mut other).await?;
        sqlx::raw_sql("COMMIT").execute(&mut other).await?;
        anyhow::Ok(())
    };
    let (report, against) = tokio::join!(work(impatient), against);
    against?;
    other.close().await?;
    Ok(report?)
}
