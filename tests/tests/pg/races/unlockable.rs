//! Tests syncs on a pool by a role that may read the base tables and not lock their rows, beside an
//! open transaction that has changed a row which the document embeds.

use std::time::Duration;

use fraiseql_runtime::Error;
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, PgPool};

use crate::races::session::Place::Inside;
use crate::races::session::Session;
use crate::races::session::Step::{End, Posts, Write};
use crate::races::session::Syncer::Fraiseql;
use crate::races::world::{Documents, View, World};
use fraiseql_tests::run;

/// A world in which user 3 was renamed in an open transaction, which has synced. A post by that user
/// was added meanwhile.
async fn renamed() -> (World, Session) {
    let mut world = World::new().await;
    world.reset(View::Post, Documents::Exist).await;
    let writer = world.session(Fraiseql, Inside).await;
    let steps = [
        Write("UPDATE tb_user SET name = 'Countess' WHERE id = 3"),
        Posts("ARRAY(SELECT id FROM tb_post WHERE author_id = 3)"),
    ];
    let writer = writer.start(&steps).done().await;
    run(&world.pool, "INSERT INTO tb_post VALUES (9, 3, 'Nine')").await;
    (world, writer)
}

/// A pool whose only connection has a role that may not lock rows of base tables, and the process of
/// that connection.
async fn reader(world: &World) -> (PgPool, i32) {
    let options = (*world.pool.connect_options()).clone();
    let role = format!("{}_reader", options.get_database().unwrap());
    let sql = format!(
        "CREATE ROLE {role};
         GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role};
         GRANT INSERT, UPDATE, DELETE ON tv_post TO {role}"
    );
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(&world.pool)
        .await
        .unwrap();
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .connect_with(options.options([("role", role)]))
        .await
        .unwrap();
    let pid = sqlx::query_scalar("SELECT pg_backend_pid()")
        .fetch_one(&pool)
        .await
        .unwrap();
    (pool, pid)
}

#[tokio::test]
async fn a_sync_that_may_not_lock_rows_waits_for_the_open_transaction() {
    let (world, writer) = renamed().await;
    let (pool, pid) = reader(&world).await;
    let sync = tokio::spawn(async move { View::Post.sync(&pool, &[9]).await });
    let waits = "SELECT wait_event = 'PgSleep' FROM pg_stat_activity WHERE pid = $1";
    while sqlx::query_scalar::<_, Option<bool>>(waits)
        .bind(pid)
        .fetch_one(&world.pool)
        .await
        .unwrap()
        != Some(true)
    {
        assert!(!sync.is_finished(), "it did not wait");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    writer.start(&[End]).done().await;
    sync.await.unwrap().unwrap();
    let wrong = world.wrong(View::Post).await;
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn a_sync_that_may_not_lock_rows_fails_if_the_transaction_stays_open() {
    let (world, writer) = renamed().await;
    let (pool, _) = reader(&world).await;
    let error = View::Post.sync(&pool, &[9]).await.unwrap_err();
    assert!(
        matches!(&error, Error::Database { source, .. }
            if source.as_database_error().and_then(|error| error.code()).as_deref() == Some("42501")),
        "{error}"
    );
    let written: i64 = sqlx::query_scalar("SELECT count(*) FROM tv_post WHERE id = 9")
        .fetch_one(&world.pool)
        .await
        .unwrap();
    assert_eq!(written, 0);
    writer.start(&[End]).done().await;
    View::Post.sync(&pool, &[9]).await.unwrap();
    let wrong = world.wrong(View::Post).await;
    assert!(wrong.is_empty(), "{wrong:#?}");
}
