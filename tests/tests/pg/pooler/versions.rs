//! PgBouncer without prepared statements: what fails, what the error says, and the mode that works.

use dev_postgres::{PgBouncer, PgBouncerVersion};
use fraiseql_runtime::{Capture, TView, assert_synced};
use fraiseql_tests::pooler::{pgbouncer, start};
use fraiseql_tests::world::worked::{Post, create, model_with};
use fraiseql_tests::{direct_database, pool_of};
use sqlx::{ConnectOptions as _, Connection as _};

use super::clients_of;

const OLD: PgBouncerVersion = PgBouncerVersion::new(1, 18);

/// Both clients have a statement with the first name, and only one of them has prepared it.
#[tokio::test]
async fn the_error_without_prepared_statements_names_the_guide() -> anyhow::Result<()> {
    let current = PgBouncer::builder().at_least(PgBouncerVersion::WITH_PREPARED_STATEMENTS);
    for builder in [
        current.setting("max_prepared_statements", "0"),
        PgBouncer::builder().version(OLD),
    ] {
        let Some(pooler) = start(builder.pool_size(1)) else {
            continue;
        };
        let database = direct_database().await;
        let direct = pool_of(database.clone()).await;
        let model = model_with(Capture::Off);
        create(&direct, &model, 3).await;
        let one = clients_of(pooler.through(&database), 1).await;
        let other = clients_of(pooler.through(&database), 1).await;
        assert!(Post::find(&one, 1).await?.is_some());
        let error = Post::find(&other, 1).await.unwrap_err().to_string();
        assert!(error.contains("\"sqlx_s_1\" already exists"), "{error}");
        assert!(error.contains("`max_prepared_statements`"), "{error}");
        assert!(
            error.ends_with("`fraiseql_runtime::guide::poolers`"),
            "{error}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_version_will_do_in_session_mode() -> anyhow::Result<()> {
    for builder in [PgBouncer::builder(), PgBouncer::builder().version(OLD)] {
        let builder = builder.setting("pool_mode", "session").pool_size(4);
        let Some(pooler) = start(builder) else {
            continue;
        };
        let database = direct_database().await;
        let clients = clients_of(pooler.through(&database), 4).await;
        let model = model_with(Capture::Queue);
        create(&clients, &model, 6).await;
        super::comments(&clients).await;
        let marks = super::mutations::Marks::Captured;
        let work = super::mutations::Work::All;
        super::mutations::run_at_once(&model, &clients, 4, marks, work).await;
        model.worker(&clients).drain().await?;
        assert_synced(&model, &clients).await;
    }
    Ok(())
}

/// What the guide says of statements that sqlx does not keep. This crate sends them in transactions only.
#[tokio::test]
async fn a_statement_without_a_name_needs_a_transaction() -> anyhow::Result<()> {
    let Some(pooler) = pgbouncer(2) else {
        return Ok(());
    };
    let database = direct_database().await;
    let clients = clients_of(pooler.through(&database), 2).await;
    let unnamed = || sqlx::query_scalar::<_, i32>("SELECT $1::int4").bind(7);
    // It fails if the pooler uses another session for the second message, in which the statement without a name is that of
    // another client. Two clients make that likely.
    let other = || sqlx::query_scalar::<_, String>("SELECT $1::text").bind("other");
    let mut has_failed = false;
    for _ in 0..1000 {
        let (one, two) = tokio::join!(
            unnamed().persistent(false).fetch_one(&clients),
            other().persistent(false).fetch_one(&clients)
        );
        has_failed |= one.is_err() || two.is_err();
        if has_failed {
            break;
        }
    }
    assert!(has_failed);
    for _ in 0..4 {
        let mut tx = clients.begin().await?;
        assert_eq!(unnamed().persistent(false).fetch_one(&mut *tx).await?, 7);
        tx.commit().await?;
        assert_eq!(unnamed().fetch_one(&clients).await?, 7);
    }
    Ok(())
}

/// The remedy that the guide names.
#[tokio::test]
async fn after_a_change_of_types_the_pooler_has_to_reconnect() -> anyhow::Result<()> {
    let builder = PgBouncer::builder().at_least(PgBouncerVersion::WITH_PREPARED_STATEMENTS);
    let Some(pooler) = start(builder.pool_size(1)) else {
        return Ok(());
    };
    let database = direct_database().await;
    let client = async || clients_of(pooler.through(&database), 1).await;
    let first = client().await;
    let sql = "CREATE TABLE one (id int4 NOT NULL); INSERT INTO one VALUES (7)";
    fraiseql_tests::run(&first, sql).await;
    let id = "SELECT id FROM one";
    assert_eq!(sqlx::query_scalar::<_, i32>(id).fetch_one(&first).await?, 7);
    fraiseql_tests::run(&first, "ALTER TABLE one ALTER id TYPE int8").await;
    // Although this client has never sent the statement.
    let second = client().await;
    let error = sqlx::query_scalar::<_, i64>(id).fetch_one(&second).await;
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("cached plan must not change result type"),
        "{error}"
    );

    let mut console = pooler.console().connect().await?;
    sqlx::raw_sql("RECONNECT").execute(&mut console).await?;
    console.close().await?;
    let third = client().await;
    assert_eq!(sqlx::query_scalar::<_, i64>(id).fetch_one(&third).await?, 7);
    Ok(())
}
