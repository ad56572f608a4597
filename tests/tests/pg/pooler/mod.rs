//! Tests behind a pooler in transaction mode: PgBouncer, or a stand-in on a machine without one. It has fewer
//! connections of the server than clients, which get them in turn.

mod jobs;
mod locks;
mod mutations;
mod versions;

use std::time::Duration;

use fraiseql_runtime::{Capture, ReadModel};
use fraiseql_tests::pooler::pooler;
use fraiseql_tests::world::worked::{create, model_with};
use fraiseql_tests::{direct_database, pool_of};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{PgConnection, PgPool};

/// A database with and without a pooler.
struct Pooled {
    /// Connections of the server, to look at it.
    direct: PgPool,
    /// Connections of the pooler.
    clients: PgPool,
}

/// An empty database. All `clients` share `connections` connections of the server.
async fn pooled(clients: u32, connections: u32) -> Pooled {
    let database = direct_database().await;
    let through = pooler(&database, connections).await;
    Pooled {
        direct: pool_of(database).await,
        clients: clients_of(through, clients).await,
    }
}

async fn clients_of(options: PgConnectOptions, clients: u32) -> PgPool {
    PgPoolOptions::new()
        .max_connections(clients)
        .acquire_timeout(Duration::from_secs(30))
        .connect_with(options)
        .await
        .unwrap()
}

/// A blog of some posts, which was migrated and synced through the pooler.
async fn blog(clients: u32, connections: u32, capture: Capture) -> (Pooled, ReadModel) {
    let pooled = pooled(clients, connections).await;
    let model = model_with(capture);
    create(&pooled.clients, &model, 6).await;
    comments(&pooled.clients).await;
    model.sync_all(&pooled.clients).await.unwrap();
    (pooled, model)
}

/// Inserts a comment for each of many clients.
async fn comments(pool: &PgPool) {
    let sql = "INSERT INTO tb_comment SELECT i, 'Comment ' || i, 1 + i % 6, 1 + i % 3
               FROM generate_series(1, 32) AS i";
    fraiseql_tests::run(pool, sql).await;
}

/// The statement of client `i` in a round: it moves one comment, renames another one's author, or deletes a
/// comment and adds another one.
async fn change(connection: &mut PgConnection, i: i64, round: i64) -> sqlx::Result<()> {
    let statements = match (i + round) % 3 {
        0 => "UPDATE tb_comment SET post_id = 1 + post_id % 6 WHERE id = $1",
        1 => {
            "UPDATE tb_comment SET author_id = 1 + author_id % 3, content = content || '.' WHERE id = $1"
        }
        _ => {
            "WITH gone AS (DELETE FROM tb_comment WHERE id = $1 RETURNING *)
             INSERT INTO tb_comment SELECT id + 100, content, 1 + post_id % 6, author_id FROM gone"
        }
    };
    sqlx::query(statements).bind(i).execute(connection).await?;
    Ok(())
}
