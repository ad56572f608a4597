//! The blog with UUIDs as keys: users, posts, comments; the view of its posts; and helpers that
//! log, break or contend with a sync.

use chrono::{DateTime, Utc};
use fraiseql_runtime::{Embed, ReadModel, Result, SyncLog, SyncReport, TView};
use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection, PgConnection, PgPool};
use uuid::Uuid;

use super::{World, wait_for_a_lock};
use crate::run;

const TABLES: &str = "
CREATE TABLE tb_user (
    id uuid PRIMARY KEY,
    username text NOT NULL UNIQUE,
    full_name text NOT NULL,
    bio text
);
CREATE TABLE tb_post (
    id uuid PRIMARY KEY,
    author_id uuid NOT NULL REFERENCES tb_user,
    editor_id uuid REFERENCES tb_user,
    title text NOT NULL,
    published boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON tb_post (author_id);
CREATE INDEX ON tb_post (editor_id);
CREATE TABLE tb_comment (
    id uuid PRIMARY KEY,
    post_id uuid NOT NULL REFERENCES tb_post ON DELETE CASCADE,
    author_id uuid NOT NULL REFERENCES tb_user,
    content text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON tb_comment (post_id, created_at);
CREATE INDEX ON tb_comment (author_id)";

/// The author of all posts.
pub const ADA: Uuid = Uuid::from_u128(0xada);
/// A user who has no posts.
pub const BOB: Uuid = Uuid::from_u128(0xb0b);

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

/// The base tables. Their rows are posts by [`ADA`], each one minute older than the one before.
pub fn blog() -> World {
    World::new(TABLES, |posts| {
        format!(
            "INSERT INTO tb_user VALUES ('{ADA}', 'ada', 'Ada Lovelace'), ('{BOB}', 'bob', 'Bob');
             INSERT INTO tb_post (id, author_id, title, created_at)
             SELECT lpad(to_hex(n), 32, '0')::uuid, '{ADA}', 'Post ' || n,
                 '2026-01-01'::timestamptz + n * interval '1 minute'
             FROM generate_series(1, {posts}) AS n"
        )
    })
}

/// A user, as part of a post or a comment.
#[derive(Clone, Debug, PartialEq, Embed)]
#[tview(table = "tb_user")]
pub struct Author {
    /// The user's key.
    pub id: Uuid,
    /// The unique name.
    pub username: String,
    /// The display name.
    pub full_name: String,
}

/// A comment, as part of its post.
#[derive(Clone, Debug, PartialEq, Embed)]
#[tview(table = "tb_comment")]
pub struct PostComment {
    /// The comment's key.
    pub id: Uuid,
    /// Its text.
    pub content: String,
    /// The author of the comment.
    #[tview(one(fk = "author_id"))]
    pub author: Author,
}

/// A post.
#[derive(Clone, Debug, PartialEq, TView)]
pub struct Post {
    /// The key.
    pub id: Uuid,
    /// The title.
    pub title: String,
    /// Whether it is published.
    pub published: bool,
    /// When it was written.
    #[tview(filter, sort)]
    pub created_at: DateTime<Utc>,
    /// The author.
    #[tview(one(fk = "author_id"))]
    pub author: Author,
    /// The editor, if there is one.
    #[tview(one(fk = "editor_id"))]
    pub editor: Option<Author>,
    /// The newest comments.
    #[tview(many(fk = "post_id", order_by = "created_at DESC", limit = 50))]
    pub comments: Vec<PostComment>,
    /// The number of comments.
    #[tview(count(table = "tb_comment", fk = "post_id"))]
    pub comment_count: i64,
}

/// The blog's read model.
#[must_use]
pub fn model() -> ReadModel {
    super::model::<Post>()
}

/// A database with posts 1 to `count`, and no documents.
///
/// # Panics
/// If the database refuses.
pub async fn migrated(count: u32) -> PgPool {
    let pool = crate::pool().await;
    migrated_on(&pool, count).await;
    pool
}

/// The same in the given database.
///
/// # Panics
/// If the database refuses.
pub async fn migrated_on(pool: &PgPool, count: u32) {
    blog().rows(count.into()).on(pool).await;
    model().migrate(pool).await.unwrap();
}

/// A database with posts 1 to `count`, and a read model with a log.
///
/// # Panics
/// If the database refuses.
pub async fn logged(count: u32) -> (PgPool, SyncLog, ReadModel) {
    let pool = crate::pool().await;
    logged_on(pool, count, |log| log).await
}

/// The same on the given pool, with the given log.
///
/// # Panics
/// If the database refuses.
pub async fn logged_on(
    pool: PgPool,
    count: u32,
    set: impl FnOnce(SyncLog) -> SyncLog,
) -> (PgPool, SyncLog, ReadModel) {
    blog().rows(count.into()).on(&pool).await;
    let log = set(SyncLog::new(pool.clone()));
    let model = ReadModel::builder()
        .view::<Post>()
        .sync_log(log.clone())
        .build()
        .unwrap();
    model.migrate(&pool).await.unwrap();
    (pool, log, model)
}

/// Renames the author of all posts, and so changes every document.
///
/// # Panics
/// If the database refuses.
pub async fn rename(pool: &PgPool, name: &str) {
    sqlx::query("UPDATE tb_user SET full_name = $1 WHERE id = $2")
        .bind(name)
        .bind(ADA)
        .execute(pool)
        .await
        .unwrap();
}

/// From now on a sync that writes the document of post 2 fails, with an error that is not about the
/// document.
///
/// # Panics
/// If the database refuses.
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

/// Makes a session of the pool run into a deadlock, detect it, and run its batch again.
///
/// # Errors
/// If the batch or the other session fails.
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
    // A change of the first document, so that the batch locks both.
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
