//! Tests of syncs: what is inserted, updated, skipped and deleted, on each kind of target.

mod concurrent;
mod errors;
mod exchange;
mod full;
mod functions;
mod invalid;
mod keys;
mod reads;
mod recorder;
mod refused;
mod session;
mod targets;
mod views;

use fraiseql_tests::world::blog::{ADA, BOB, migrated_on, post, posts, rename};
use fraiseql_tests::world::counts;
use sqlx::PgPool;

/// Posts 1 to `count`, each with one comment by Bob.
async fn seeded(count: u32) -> PgPool {
    let pool = fraiseql_tests::pool().await;
    seed(&pool, count).await;
    pool
}

async fn seed(pool: &PgPool, count: u32) {
    migrated_on(pool, count).await;
    sqlx::query("INSERT INTO tb_comment SELECT gen_random_uuid(), id, $1, 'First!' FROM tb_post")
        .bind(BOB)
        .execute(pool)
        .await
        .unwrap();
}

async fn count(pool: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM tv_post")
        .fetch_one(pool)
        .await
        .unwrap()
}

/// Adds a comment to the first post. It does not wait for a sync in a transaction: that one locks
/// the users whose names it embeds.
async fn comment(pool: &PgPool, content: &str) {
    sqlx::query("INSERT INTO tb_comment VALUES (gen_random_uuid(), $1, $2, $3)")
        .bind(post(1))
        .bind(BOB)
        .bind(content)
        .execute(pool)
        .await
        .unwrap();
}
