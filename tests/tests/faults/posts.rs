//! Posts that clients change again and again, each in a transaction with its comment, so that
//! half of a change would be seen.

use fraiseql_runtime::{Error, Mutation, ReadModel};
use fraiseql_tests::blog::{Post, TABLES, model, sync_post};
use fraiseql_tests::run;
use sqlx::postgres::PgConnectOptions;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

pub(crate) const ADA: Uuid = Uuid::from_u128(0xada);

/// What [`wrong`] finds where all is right.
pub(crate) const NONE: [Uuid; 0] = [];

/// The key of the post `n`.
pub(crate) fn post(n: u32) -> Uuid {
    Uuid::from_u128(u128::from(n))
}

pub(crate) fn posts(range: std::ops::RangeInclusive<u32>) -> Vec<Uuid> {
    range.map(post).collect()
}

/// Posts 1 to `count`, and no documents.
pub(crate) async fn seed(pool: &PgPool, count: u32) {
    run(pool, TABLES).await;
    model().migrate(pool).await.unwrap();
    sqlx::query("INSERT INTO tb_user VALUES ($1, 'ada', 'Ada')")
        .bind(ADA)
        .execute(pool)
        .await
        .unwrap();
    sqlx::query(
        "INSERT INTO tb_post (id, author_id, title)
         SELECT key, $1, 'Post ' || n FROM unnest($2::uuid[]) WITH ORDINALITY AS keys (key, n)",
    )
    .bind(ADA)
    .bind(posts(1..=count))
    .execute(pool)
    .await
    .unwrap();
}

/// A database with posts 1 to `count`, and no documents.
pub(crate) async fn seeded(count: u32) -> PgPool {
    let pool = fraiseql_tests::pool().await;
    seed(&pool, count).await;
    pool
}

pub(crate) fn database(pool: &PgPool) -> PgConnectOptions {
    (*pool.connect_options()).clone()
}

/// The keys of the documents that are not what the base tables say.
pub(crate) async fn wrong(pool: &PgPool) -> Vec<Uuid> {
    sqlx::query_scalar(
        "SELECT id FROM tv_post AS v FULL JOIN (
             SELECT p.id, p.title, u.full_name, (SELECT count(*) FROM tb_comment c
                 WHERE c.post_id = p.id) AS comments
             FROM tb_post p JOIN tb_user u ON u.id = p.author_id) AS p USING (id)
         WHERE (v.data->>'title', v.data->'author'->>'fullName', (v.data->>'commentCount')::int8,
                least(jsonb_array_length(v.data->'comments'), 50))
             IS DISTINCT FROM (p.title, p.full_name, p.comments, least(p.comments, 50)::int4)
         ORDER BY id",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}

/// A new title, and a comment that says so.
pub(crate) async fn change(
    connection: &mut PgConnection,
    post: Uuid,
    value: u64,
) -> sqlx::Result<()> {
    sqlx::query("UPDATE tb_post SET title = 'Title ' || $2 WHERE id = $1")
        .bind(post)
        .bind(i64::try_from(value).unwrap())
        .execute(&mut *connection)
        .await?;
    sqlx::query("INSERT INTO tb_comment SELECT gen_random_uuid(), $1, $2, 'changed'")
        .bind(post)
        .bind(ADA)
        .execute(&mut *connection)
        .await?;
    Ok(())
}

/// Changes a post and syncs it after the commit.
pub(crate) async fn change_and_sync(pool: &PgPool, post: Uuid, value: u64) -> Result<(), Error> {
    let mut transaction = pool.begin().await.map_err(failed)?;
    change(&mut transaction, post, value)
        .await
        .map_err(failed)?;
    transaction.commit().await.map_err(failed)?;
    sync_post(pool, &[post]).await.map(drop)
}

/// Changes a post and syncs it in the transaction.
pub(crate) async fn change_with_sync(pool: &PgPool, post: Uuid, value: u64) -> Result<(), Error> {
    let mut transaction = pool.begin().await.map_err(failed)?;
    change(&mut transaction, post, value)
        .await
        .map_err(failed)?;
    sync_post(&mut transaction, &[post]).await?;
    transaction.commit().await.map_err(failed)
}

/// Changes a post in a mutation.
pub(crate) async fn mutate(
    model: &ReadModel,
    pool: &PgPool,
    post: Uuid,
    value: u64,
) -> Result<(), Error> {
    let work = async move |m: &mut Mutation| {
        change(m, post, value).await.map_err(failed)?;
        m.changed::<Post>(&[post]);
        m.changed_rows("tb_comment", "post_id", &[post])
    };
    model.mutate(pool, work).await.map(drop)
}

pub(crate) fn failed(source: sqlx::Error) -> Error {
    Error::Database {
        doing: "changing a post".to_owned(),
        source,
    }
}
