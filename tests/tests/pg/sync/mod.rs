//! Sync on a real PostgreSQL: what is written, skipped and deleted, on each target.

mod concurrent;
mod errors;
mod exchange;
mod full;
mod invalid;
mod keys;
mod reads;
mod recorder;
mod refused;
mod session;
mod targets;

use fraiseql_runtime::SyncReport;
use fraiseql_tests::blog::blog;
use sqlx::PgPool;
use uuid::Uuid;

const ADA: Uuid = Uuid::from_u128(0xada);
const BOB: Uuid = Uuid::from_u128(0xb0b);

/// The key of the post `n`.
fn post(n: u32) -> Uuid {
    Uuid::from_u128(u128::from(n))
}

fn posts(range: std::ops::RangeInclusive<u32>) -> Vec<Uuid> {
    range.map(post).collect()
}

/// Two users, and posts 1 to `count` by Ada, each with one comment by Bob.
async fn seeded(count: u32) -> PgPool {
    let pool = blog().await;
    seed(&pool, count).await;
    pool
}

async fn seed(pool: &PgPool, count: u32) {
    sqlx::query("INSERT INTO tb_user VALUES ($1, 'ada', 'Ada Lovelace'), ($2, 'bob', 'Bob')")
        .bind(ADA)
        .bind(BOB)
        .execute(pool)
        .await
        .unwrap();
    sqlx::query(
        "WITH new AS (
             INSERT INTO tb_post (id, author_id, title, created_at)
             SELECT key, $1, 'Post ' || n, '2026-01-01'::timestamptz + n * interval '1 minute'
             FROM unnest($2::uuid[]) WITH ORDINALITY AS keys (key, n)
             RETURNING id)
         INSERT INTO tb_comment SELECT gen_random_uuid(), id, $3, 'First!' FROM new",
    )
    .bind(ADA)
    .bind(posts(1..=count))
    .bind(BOB)
    .execute(pool)
    .await
    .unwrap();
}

fn counts(report: &SyncReport) -> [u64; 4] {
    [
        report.inserted,
        report.updated,
        report.unchanged,
        report.deleted,
    ]
}

async fn count(pool: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM tv_post")
        .fetch_one(pool)
        .await
        .unwrap()
}

/// A comment on the first post. It does not wait for a sync that is in a transaction: that
/// one locks the users whose names it embeds.
async fn comment(pool: &PgPool, content: &str) {
    sqlx::query("INSERT INTO tb_comment VALUES (gen_random_uuid(), $1, $2, $3)")
        .bind(post(1))
        .bind(BOB)
        .bind(content)
        .execute(pool)
        .await
        .unwrap();
}

async fn rename(pool: &PgPool, name: &str) {
    sqlx::query("UPDATE tb_user SET full_name = $1 WHERE id = $2")
        .bind(name)
        .bind(ADA)
        .execute(pool)
        .await
        .unwrap();
}
