//! Tests that random changes of several clients at once lose no update, in each way to sync.

use fraiseql_runtime::{Error, ReadModel};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::task::JoinSet;

use super::changes::{Changes, Statement};
use super::expected::assert_right;
use super::{Way, commit, synced};

/// Whether a transaction can be repeated: a deadlock, or a serialization failure.
fn is_retryable(error: &anyhow::Error) -> bool {
    let of_code = |error: &sqlx::Error| {
        let code = error.as_database_error().and_then(|error| error.code());
        matches!(code.as_deref(), Some("40P01" | "40001" | "23503"))
    };
    // A row that another client has deleted meanwhile cannot be referred to any more.
    error.downcast_ref::<sqlx::Error>().is_some_and(of_code)
        || error
            .downcast_ref::<Error>()
            .is_some_and(Error::is_retryable)
}

/// Commits, again if it has to be. A statement that can never be executed is given up.
async fn commit_again(
    pool: &PgPool,
    model: &ReadModel,
    way: Way,
    statements: &[Statement],
) -> anyhow::Result<()> {
    for _ in 0..20 {
        match commit(pool, model, way, statements).await {
            Err(error) if is_retryable(&error) => {}
            done => return done,
        }
    }
    Ok(())
}

async fn clients(way: Way) -> anyhow::Result<()> {
    if matches!(way, Way::Marks | Way::Mutation) {
        fraiseql_tests::needs_sessions();
    }
    let (owner, model) = synced(way).await?;
    // A mutation with marks of rows that may have moved needs a second connection.
    let mut options = (*owner.connect_options()).clone();
    // These clients lock rows in any order, and PostgreSQL looks for deadlocks after a second. A commit that
    // syncs counts on that.
    if matches!(way, Way::Marks | Way::Mutation) {
        options = options.options([("deadlock_timeout", "50ms")]);
    }
    let pool = PgPoolOptions::new()
        .max_connections(12)
        .connect_with(options)
        .await?;
    let mut tasks = JoinSet::new();
    for seed in 1..=4 {
        let (pool, model) = (pool.clone(), model.clone());
        tasks.spawn(async move {
            let mut changes = Changes::new(seed);
            for _ in 0..25 {
                let statements = changes.transaction(false);
                commit_again(&pool, &model, way, &statements).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    // What was left to a worker: by other programs, or by a commit that gave up waiting for a lock.
    if way.capture().is_some() {
        model.worker(&pool).drain().await?;
        let changes = model.changes(&pool).await?;
        assert_eq!((changes.pending, changes.dead), (0, 0), "{changes}");
    }
    assert_right(&pool, "all clients").await;
    Ok(())
}

#[tokio::test]
async fn clients_with_marks_lose_no_update() -> anyhow::Result<()> {
    clients(Way::Marks).await
}

#[tokio::test]
async fn clients_whose_mutations_capture_lose_no_update() -> anyhow::Result<()> {
    clients(Way::Mutation).await
}

#[tokio::test]
async fn clients_before_a_worker_lose_no_update() -> anyhow::Result<()> {
    clients(Way::Worker).await
}

#[tokio::test]
async fn clients_that_sync_at_their_commit_lose_no_update() -> anyhow::Result<()> {
    clients(Way::Commit).await
}
