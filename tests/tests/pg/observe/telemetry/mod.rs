//! Tests that each sync, batch and failure is traced and counted with its view, mode and keys.

mod capture;
mod metrics;
mod traces;

use fraiseql_tests::world::blog::{ADA, post};
use sqlx::PgPool;

/// What another transaction has done with a document.
#[derive(Clone, Copy)]
enum Has {
    Synced,
    Locked,
}

/// A change of post 1 that waits for no sync in a transaction.
async fn comment(pool: &PgPool) {
    sqlx::query("INSERT INTO tb_comment VALUES (gen_random_uuid(), $1, $2, 'more')")
        .bind(post(1))
        .bind(ADA)
        .execute(pool)
        .await
        .unwrap();
}
