//! Tests that a sync inside of a transaction is a call of one function, and that statements do the same if it does
//! not exist.

use fraiseql_runtime::{Error, SyncReport};
use fraiseql_tests::world::blog::{self, ADA, Post, sync_post};
use fraiseql_tests::world::counts;
use sqlx::{AssertSqlSafe, PgConnection, PgPool};
use uuid::Uuid;

use super::{post, posts};

/// The functions of these tests, as `DROP FUNCTION` names them.
const FUNCTIONS: &str = "SELECT oid::regprocedure::text FROM pg_proc WHERE proname LIKE 'fraiseql\\_%' ORDER BY oid DESC";

async fn drop_functions(pool: &PgPool) {
    let functions: Vec<String> = sqlx::query_scalar(FUNCTIONS).fetch_all(pool).await.unwrap();
    assert!(!functions.is_empty());
    for function in functions {
        let drop = AssertSqlSafe(format!("DROP FUNCTION {function}"));
        sqlx::raw_sql(drop).execute(pool).await.unwrap();
    }
}

/// How often functions whose name begins like this were called in this transaction.
async fn calls(connection: &mut PgConnection, name: &str) -> i64 {
    sqlx::query_scalar(
        "SELECT coalesce(sum(pg_stat_get_xact_function_calls(oid)), 0)::int8
         FROM pg_proc WHERE proname LIKE $1 || '%'",
    )
    .bind(name)
    .fetch_one(connection)
    .await
    .unwrap()
}

async fn count_calls(connection: &mut PgConnection) {
    sqlx::query("SET LOCAL track_functions = 'all'")
        .execute(connection)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_sync_in_a_transaction_is_one_call() -> anyhow::Result<()> {
    let pool = blog::migrated(3).await;
    let mut tx = pool.begin().await?;
    count_calls(&mut tx).await;
    sqlx::query("UPDATE tb_post SET title = 'Inside'; ")
        .execute(&mut *tx)
        .await?;
    let report = sync_post(&mut tx, &posts(1..=3)).await?;
    assert_eq!(counts(&report), [3, 0, 0, 0]);
    assert_eq!(calls(&mut tx, "fraiseql_sync_post").await, 1);
    // One batch of 500 keys is one call.
    sync_post(&mut tx, &posts(1..=600)).await?;
    assert_eq!(calls(&mut tx, "fraiseql_sync_post").await, 3);
    tx.commit().await?;
    Ok(())
}

/// Changes the tables, and syncs some documents in the transaction.
struct Step {
    change: &'static str,
    keys: fn() -> Vec<Uuid>,
}

const STEPS: [Step; 8] = [
    Step {
        change: "SELECT",
        keys: || posts(1..=30),
    },
    Step {
        change: "UPDATE tb_post SET title = title || '!' WHERE created_at < '2026-01-01 00:10Z'",
        keys: || posts(1..=30),
    },
    Step {
        change: "DELETE FROM tb_post WHERE created_at < '2026-01-01 00:05Z'",
        keys: || posts(1..=10),
    },
    Step {
        change: "SELECT",
        keys: || posts(1..=45),
    },
    Step {
        change: "INSERT INTO tb_post (id, author_id, title)
                 SELECT lpad(to_hex(n), 32, '0')::uuid, 'ada00000-0000-0000-0000-000000000000', 'Again'
                 FROM generate_series(2, 3) AS n WHERE false",
        keys: || vec![post(2), post(2), post(3), post(4_000)],
    },
    Step {
        change: "UPDATE tb_user SET full_name = 'Countess'",
        keys: || posts(1..=400),
    },
    Step {
        change: "DELETE FROM tb_post",
        keys: || posts(1..=400),
    },
    Step {
        change: "SELECT",
        keys: || posts(1..=5),
    },
];

async fn reports(pool: &PgPool) -> anyhow::Result<Vec<[u64; 5]>> {
    let mut reports = Vec::new();
    for step in &STEPS {
        let mut tx = pool.begin().await?;
        sqlx::query(step.change).execute(&mut *tx).await?;
        let report: SyncReport = sync_post(&mut tx, &(step.keys)()).await?;
        tx.commit().await?;
        let [inserted, updated, unchanged, deleted] = counts(&report);
        reports.push([inserted, updated, unchanged, deleted, report.bytes]);
    }
    Ok(reports)
}

#[tokio::test]
async fn the_function_and_the_statements_report_the_same() -> anyhow::Result<()> {
    let (with, without) = (blog::migrated(60).await, blog::migrated(60).await);
    drop_functions(&without).await;
    let (with, without) = (reports(&with).await?, reports(&without).await?);
    assert_eq!(with, without);
    let done = |of: usize| with.iter().map(|report| report[of]).sum::<u64>();
    assert!((0..4).all(|of| done(of) > 0), "{with:?}");
    Ok(())
}

/// The author is uuid `ADA` in the tables of these tests.
#[tokio::test]
async fn a_role_that_may_not_call_functions_sends_statements() -> anyhow::Result<()> {
    let pool = blog::migrated(2).await;
    let mut tx = pool.begin().await?;
    count_calls(&mut tx).await;
    sqlx::raw_sql(
        "CREATE ROLE fraiseql_no_calls;
         GRANT USAGE ON SCHEMA public TO fraiseql_no_calls;
         GRANT ALL ON ALL TABLES IN SCHEMA public TO fraiseql_no_calls;
         REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
         SET LOCAL ROLE fraiseql_no_calls",
    )
    .execute(&mut *tx)
    .await?;
    let report = sync_post(&mut tx, &posts(1..=2)).await?;
    assert_eq!(counts(&report), [2, 0, 0, 0]);
    assert_eq!(calls(&mut tx, "fraiseql_").await, 0);
    tx.rollback().await?;
    Ok(())
}

#[tokio::test]
async fn repeatable_read_is_refused_before_the_call() -> anyhow::Result<()> {
    let pool = blog::migrated(1).await;
    let mut tx = pool
        .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ")
        .await?;
    count_calls(&mut tx).await;
    let error = sync_post(&mut tx, &[post(1)]).await.unwrap_err();
    assert!(matches!(error, Error::RepeatableRead), "{error}");
    assert_eq!(calls(&mut tx, "fraiseql_").await, 0);
    // The transaction can go on.
    let name: String = sqlx::query_scalar("SELECT full_name FROM tb_user WHERE id = $1")
        .bind(ADA)
        .fetch_one(&mut *tx)
        .await?;
    assert_eq!(name, "Ada Lovelace");
    Ok(())
}

/// A flush whose functions were dropped after it had found them fails once, and then sends statements.
#[tokio::test]
async fn functions_that_are_dropped_while_a_program_runs_are_done_without() -> anyhow::Result<()> {
    let pool = blog::migrated(1).await;
    let model = blog::model();
    let mut titles = Vec::new();
    for title in ["One", "Two", "Three", "Four"] {
        if title == "Two" {
            drop_functions(&pool).await;
        }
        let mut m = model.mutation(&pool).await?;
        sqlx::query("UPDATE tb_post SET title = $1")
            .bind(title)
            .execute(&mut *m)
            .await?;
        m.inserted::<Post>(&[post(1)]);
        match m.commit().await {
            Ok(report) => titles.push((title, report.of::<Post>().unwrap().changed())),
            Err(error) => assert!(error.to_string().contains("does not exist"), "{error}"),
        }
    }
    assert_eq!(titles, [("One", 1), ("Three", 1), ("Four", 1)]);
    Ok(())
}
