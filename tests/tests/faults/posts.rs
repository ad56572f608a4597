//! Posts that clients change repeatedly, each in a transaction with its comment, so that a partial
//! change would be visible.

use fraiseql_runtime::error::Operation;
use fraiseql_runtime::{Error, Mutation, ReadModel};
use fraiseql_tests::world::blog::{ADA, Post, sync_post};
use sqlx::postgres::PgConnectOptions;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// The result of [`wrong`] if all documents are correct.
pub(crate) const NONE: [Uuid; 0] = [];

pub(crate) fn database(pool: &PgPool) -> PgConnectOptions {
    (*pool.connect_options()).clone()
}

/// The keys of the documents that differ from the base tables.
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

/// Writes a new title, and a comment with the same text.
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
        operation: Operation::Other("changing a post".into()),
        table: None,
        source,
    }
}
