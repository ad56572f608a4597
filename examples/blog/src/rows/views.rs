//! SQL on the counter of views.

use sqlx::PgPool;
use uuid::Uuid;

/// **A conditional sync**: no document has `view_count`, so nothing is marked, and with capture the
/// trigger finds no column changed that some document reads: it writes no row, and nothing is synced.
///
/// A post that a transaction has locked is not counted: a reader should not wait for a writer.
///
/// # Errors
/// Errors of the database.
pub async fn count_view(pool: &PgPool, post: Uuid) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE tb_post SET view_count = view_count + 1
         WHERE pk_post = (
             SELECT pk_post FROM tb_post WHERE id = $1 FOR NO KEY UPDATE SKIP LOCKED
         )",
    )
    .bind(post)
    .execute(pool)
    .await?;
    Ok(())
}
