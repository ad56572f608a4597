//! What a session would keep from one transaction to the next is neither relied on nor left behind.

use std::time::Duration;

use fraiseql_runtime::rebuild::{RebuildOutcome, RebuildState};
use fraiseql_runtime::{Capture, ReadModel, TView as _};
use fraiseql_tests::pooler::pgbouncer;
use fraiseql_tests::run;
use fraiseql_tests::world::model;
use fraiseql_tests::world::worked::{Post, model_with};
use sqlx::{PgPool, Row as _};

use super::{Pooled, pooled};

mod before {
    #[derive(fraiseql_runtime::TView)]
    #[tview(table = "note")]
    #[allow(dead_code)]
    pub(crate) struct Note {
        pub id: i64,
        #[tview(filter)]
        pub stars: i32,
    }
}

mod after {
    #[derive(fraiseql_runtime::TView)]
    #[tview(table = "note", index(on = "stars DESC", name = "by_stars"))]
    #[allow(dead_code)]
    pub(crate) struct Note {
        pub id: i64,
        #[tview(filter)]
        pub stars: i32,
        pub text: String,
    }
}

const INDEX: &str = r#"index "public"."by_stars""#;

/// Documents of the release before, through a pooler with `connections` connections of the server.
async fn notes(connections: u32) -> Pooled {
    let pooled = pooled(8, connections).await;
    run(
        &pooled.direct,
        "CREATE TABLE note (id int8 PRIMARY KEY, stars int4 NOT NULL, text text NOT NULL DEFAULT '');
         INSERT INTO note SELECT i, i % 5 FROM generate_series(1, 10000) AS i",
    )
    .await;
    model::<before::Note>()
        .migrate(&pooled.clients)
        .await
        .unwrap();
    before::sync_all_notes(&pooled.clients).await.unwrap();
    run(&pooled.direct, "ANALYZE tv_note").await;
    pooled
}

async fn advisory_locks(direct: &PgPool) -> i64 {
    sqlx::query_scalar(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    )
    .fetch_one(direct)
    .await
    .unwrap()
}

async fn until_no_lock_is_left(direct: &PgPool) {
    let wait = async {
        while advisory_locks(direct).await > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait)
        .await
        .expect("the locks are released");
}

async fn state(model: &ReadModel, pool: &PgPool) -> RebuildState {
    model.rebuild_status(pool).await.unwrap().remove(0).state
}

#[tokio::test]
async fn of_two_rebuilds_one_runs_and_no_lock_is_left() -> anyhow::Result<()> {
    let Pooled { direct, clients } = notes(6).await;
    let new = model::<after::Note>();
    new.migrate(&clients).await?;
    assert_eq!(advisory_locks(&direct).await, 0);
    // The first rebuild waits for a document in the second chunk.
    let mut holder = direct.begin().await?;
    sqlx::query("SELECT FROM tv_note WHERE id = 1500 FOR UPDATE")
        .execute(&mut *holder)
        .await?;
    let first = tokio::spawn({
        let clients = clients.clone();
        async move { model::<after::Note>().rebuild(&clients).chunk(1000).await }
    });
    while new.rebuild_status(&clients).await?[0].done < 1000 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for _ in 0..4 {
        assert_eq!(state(&new, &clients).await, RebuildState::Running);
        let second = new.rebuild(&clients).await?;
        assert_eq!(second.views[0].outcome, RebuildOutcome::InProgress);
    }
    holder.rollback().await?;
    let report = first.await??;
    assert_eq!(report.views[0].report.updated, 10_000, "{report}");
    assert_eq!(advisory_locks(&direct).await, 0);
    assert_eq!(state(&new, &clients).await, RebuildState::Done);
    assert!(new.verify(&direct).await?.is_clean());
    Ok(())
}

#[tokio::test]
async fn a_rebuild_that_is_dropped_leaves_no_lock() -> anyhow::Result<()> {
    let Pooled { direct, clients } = notes(6).await;
    let new = model::<after::Note>();
    new.migrate(&clients).await?;
    // It would be done before it is dropped, but waits for a document in the middle.
    let mut holder = direct.begin().await?;
    sqlx::query("SELECT FROM tv_note WHERE id = 5000 FOR UPDATE")
        .execute(&mut *holder)
        .await?;
    let rebuild = async {
        let stop = async {
            while new.rebuild_status(&clients).await.unwrap()[0].done < 1000 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::select! {
            report = new.rebuild(&clients).chunk(100) => panic!("{}", report.unwrap()),
            () = stop => {}
        }
    };
    rebuild.await;
    holder.rollback().await?;
    until_no_lock_is_left(&direct).await;
    assert_eq!(state(&new, &clients).await, RebuildState::Interrupted);
    let report = new.rebuild(&clients).connections(4).await?;
    assert!(report.is_complete(), "{report}");
    assert!(report.views[0].resumed_at.is_some());
    assert!(new.verify(&direct).await?.is_clean());
    Ok(())
}

/// It has no other connection to hold the lock, and a session would leave it to somebody else.
#[tokio::test]
async fn a_rebuild_on_one_connection_leaves_no_lock() -> anyhow::Result<()> {
    let Pooled { direct, clients } = notes(2).await;
    let new = model::<after::Note>();
    new.migrate(&clients).await?;
    let one = super::clients_of((*clients.connect_options()).clone(), 1).await;
    let report = new.rebuild(&one).await?;
    assert_eq!(report.views[0].outcome, RebuildOutcome::Rebuilt);
    assert_eq!(advisory_locks(&direct).await, 0);
    Ok(())
}

#[tokio::test]
async fn the_index_of_a_large_table_is_created_and_no_lock_is_left() -> anyhow::Result<()> {
    let Pooled { direct, clients } = notes(2).await;
    let new = model::<after::Note>();
    let migration = new.migrate(&clients).await?;
    assert_eq!(migration.created.last().unwrap(), INDEX);
    assert_eq!(migration.drift, []);
    assert_eq!(advisory_locks(&direct).await, 0);
    assert_eq!(new.migrate(&clients).await?.created, [""; 0]);
    Ok(())
}

/// A lone connection has to hold the lock by its session. What that leaves is reported, with the remedy.
#[tokio::test]
async fn a_lock_that_is_left_on_the_pooler_is_reported() -> anyhow::Result<()> {
    if pgbouncer(4).is_none() {
        // With a stand-in, a client keeps its session.
        return Ok(());
    }
    let Pooled { direct, clients } = notes(4).await;
    // Four sessions, in which the statements of the connection run in turn: the last one, which releases the lock,
    // not in the session of the first.
    let mut transactions = Vec::new();
    for _ in 0..4 {
        transactions.push(clients.begin().await?);
    }
    drop(transactions);
    let mut connection = clients.acquire().await?;
    let migration = model::<after::Note>().migrate(&mut connection).await?;
    assert_eq!(migration.created.last().unwrap(), INDEX);
    assert_eq!(advisory_locks(&direct).await, 1, "{migration}");
    let [drift] = &migration.drift[..] else {
        panic!("{migration}");
    };
    assert!(
        drift.why.contains("on a pool of at least two connections"),
        "{drift}"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(drift.remedy.as_str()))
        .execute(&direct)
        .await?;
    until_no_lock_is_left(&direct).await;
    Ok(())
}

/// All that migrates at once on a small pool gets on.
#[tokio::test]
async fn many_instances_migrate_at_once() -> anyhow::Result<()> {
    // Again and again: instances meet at the same statement in some of the rounds.
    for capture in [vec![Capture::Off], vec![Capture::AtCommit; 6]].concat() {
        let Pooled { direct, clients } = pooled(4, 2).await;
        fraiseql_tests::world::numbered_blog()
            .rows(3)
            .on(&clients)
            .await;
        let model = model_with(capture);
        let migrations = (0..8).map(|_| model.migrate(&clients));
        let migrations = futures_util::future::try_join_all(migrations);
        tokio::time::timeout(Duration::from_secs(60), migrations).await??;
        assert_eq!(advisory_locks(&direct).await, 0);
        fraiseql_tests::assert_up_to_date(&model.migrate(&clients).await?);
    }
    Ok(())
}

/// The connections of one full sync know each other, not by their sessions: the next transaction of a session may be
/// somebody else's, who is about to replace a document by an older one.
#[tokio::test]
async fn only_transactions_of_the_same_full_sync_are_its_peers() -> anyhow::Result<()> {
    let (Pooled { direct, .. }, _) = super::blog(2, 2, Capture::Off).await;
    let mut writer = direct.begin().await?;
    sqlx::raw_sql(
        "LOCK TABLE tv_post IN ROW EXCLUSIVE MODE;
         SELECT pg_advisory_xact_lock_shared(('x' || encode('frap', 'hex'))::bit(32)::int4, 7)",
    )
    .execute(&mut *writer)
    .await?;
    for (number, is_peer) in [(Some(7), true), (Some(8), false), (None, false)] {
        let unsure: Option<Vec<i64>> = sqlx::query(&*Post::statements().sync.write)
            .bind([1_i64])
            .bind(number)
            .bind(false)
            .fetch_one(&direct)
            .await?
            .try_get("unsure")?;
        assert_eq!(unsure.unwrap_or_default().is_empty(), is_peer, "{number:?}");
    }
    Ok(())
}
