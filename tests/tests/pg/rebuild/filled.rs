//! Tests that a view whose rows are older than its documents is reported, and filled by a rebuild.

use std::sync::atomic::{AtomicBool, Ordering};

use fraiseql_runtime::check::{CheckReport, FindingKind, Remedy};
use fraiseql_runtime::rebuild::{RebuildOutcome, RebuildState};
use fraiseql_runtime::{ReadModel, TView};
use fraiseql_tests::{run, world};
use sqlx::{AssertSqlSafe, PgPool};

use super::status;

mod labels {
    #[derive(fraiseql_runtime::TView)]
    #[allow(dead_code)]
    pub(crate) struct Label {
        pub id: i64,
        pub name: String,
    }
}

mod parted {
    #[derive(fraiseql_runtime::TView)]
    #[tview(partition(hash = 3), unlogged)]
    #[allow(dead_code)]
    pub(crate) struct Label {
        pub id: i64,
        pub name: String,
    }
}

mod filtered {
    #[derive(fraiseql_runtime::TView)]
    #[tview(filter = "name <> 'hidden'")]
    #[allow(dead_code)]
    pub(crate) struct Label {
        pub id: i64,
        pub name: String,
    }
}

use labels::Label;

async fn check(model: &ReadModel, pool: &PgPool) -> CheckReport {
    let report = model.check(pool).await.unwrap();
    report.accept(|finding| finding.kind == FindingKind::NoLz4)
}

async fn tables(rows: i64) -> PgPool {
    let pool = fraiseql_tests::pool().await;
    let sql = format!(
        "CREATE TABLE tb_label (id int8 PRIMARY KEY, name text NOT NULL);
         INSERT INTO tb_label SELECT i, 'Label ' || i FROM generate_series(1, {rows}) AS i"
    );
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(&pool)
        .await
        .unwrap();
    pool
}

/// Every report says that the view is not filled; a rebuild fills it; then none says so.
async fn assert_fills<V: TView>(pool: &PgPool, documents: u64) {
    let model = world::model::<V>();
    assert_eq!(status(&model, pool).await.state, RebuildState::Unfilled);
    let check = self::check(&model, pool).await;
    let finding = &check.findings()[0];
    assert_eq!(check.findings().len(), 1, "{check}");
    assert_eq!(finding.kind, FindingKind::Unfilled);
    assert_eq!(finding.remedies, [Remedy::Rebuild]);
    let migration = model.migrate(pool).await.unwrap();
    assert_eq!(migration.unfilled, [V::VIEW.table]);
    assert_eq!(migration.stale, []);
    assert!(migration.needs_rebuild());
    assert!(
        migration
            .to_string()
            .ends_with("it lacks documents of rows that exist; run ReadModel::rebuild"),
        "{migration}"
    );

    let report = model.rebuild(pool).await.unwrap();
    assert_eq!(report.views[0].outcome, RebuildOutcome::Rebuilt);
    assert_eq!(report.views[0].report.inserted, documents);
    assert_filled::<V>(pool).await;
}

async fn assert_filled<V: TView>(pool: &PgPool) {
    let model = world::model::<V>();
    let migration = model.migrate(pool).await.unwrap();
    assert!(!migration.needs_rebuild(), "{migration}");
    assert_eq!(status(&model, pool).await.state, RebuildState::Done);
    let check = self::check(&model, pool).await;
    assert_eq!(check.findings().len(), 0, "{check}");
    assert!(model.verify(pool).await.unwrap().is_clean());
    let again = model.rebuild(pool).await.unwrap();
    assert_eq!(again.views[0].outcome, RebuildOutcome::UpToDate);
}

#[tokio::test]
async fn a_view_added_over_existing_rows_is_filled() -> anyhow::Result<()> {
    let pool = tables(12_000).await;
    let migration = world::model::<Label>().migrate(&pool).await?;
    assert_eq!(migration.unfilled, [Label::VIEW.table]);
    assert_fills::<Label>(&pool, 12_000).await;
    assert_eq!(Label::find(&pool, 1).await?.unwrap().name, "Label 1");
    Ok(())
}

#[tokio::test]
async fn a_partitioned_unlogged_view_added_over_existing_rows_is_filled() {
    let pool = tables(30).await;
    world::model::<parted::Label>()
        .migrate(&pool)
        .await
        .unwrap();
    assert_fills::<parted::Label>(&pool, 30).await;
    // As after a crash of the server.
    run(&pool, "TRUNCATE tv_label").await;
    assert_fills::<parted::Label>(&pool, 30).await;
}

#[tokio::test]
async fn a_view_over_no_rows_is_filled_from_the_beginning() -> anyhow::Result<()> {
    let pool = tables(0).await;
    let migration = world::model::<Label>().migrate(&pool).await?;
    assert!(!migration.needs_rebuild());
    assert_filled::<Label>(&pool).await;
    run(&pool, "INSERT INTO tb_label VALUES (1, 'one')").await;
    labels::sync_label(&pool, &[1]).await?;
    assert_filled::<Label>(&pool).await;
    Ok(())
}

#[tokio::test]
async fn a_view_whose_filter_excludes_every_row_is_filled() -> anyhow::Result<()> {
    let pool = tables(0).await;
    run(
        &pool,
        "INSERT INTO tb_label SELECT i, 'hidden' FROM generate_series(1, 9) AS i",
    )
    .await;
    let migration = world::model::<filtered::Label>().migrate(&pool).await?;
    assert!(!migration.needs_rebuild());
    assert_filled::<filtered::Label>(&pool).await;
    run(&pool, "UPDATE tb_label SET name = 'shown' WHERE id < 4").await;
    assert_fills::<filtered::Label>(&pool, 3).await;
    Ok(())
}

#[tokio::test]
async fn a_view_that_lost_its_documents_is_filled_again() {
    for lose in [
        "TRUNCATE tv_label",
        "DELETE FROM tv_label",
        // A backup without documents.
        "TRUNCATE tv_label, fraiseql_view",
        // The bookkeeping of another release, which rebuilt the view before it was emptied.
        "TRUNCATE tv_label; UPDATE fraiseql_view SET shape = 1, state = 'superseded'",
    ] {
        let pool = tables(40).await;
        let model = world::model::<Label>();
        model.migrate(&pool).await.unwrap();
        model.rebuild(&pool).await.unwrap();
        assert_filled::<Label>(&pool).await;
        run(&pool, lose).await;
        assert_fills::<Label>(&pool, 40).await;
    }
}

/// It is noted when it is found: the documents that are synced meanwhile do not hide the rest.
#[tokio::test]
async fn a_view_stays_unfilled_when_some_documents_are_synced() -> anyhow::Result<()> {
    let pool = tables(40).await;
    world::model::<Label>().migrate(&pool).await?;
    labels::sync_label(&pool, &[1, 2, 3]).await?;
    assert_fills::<Label>(&pool, 37).await;
    run(&pool, "TRUNCATE tv_label").await;
    world::model::<Label>().migrate(&pool).await?;
    labels::sync_label(&pool, &[1, 2, 3]).await?;
    assert_fills::<Label>(&pool, 37).await;
    Ok(())
}

/// A rebuild that is stopped after the first chunks.
async fn interrupt(model: &ReadModel, pool: &PgPool) {
    let stop = AtomicBool::new(false);
    let half = model
        .rebuild(pool)
        .chunk(10)
        .on_progress(|_, progress| stop.store(progress.chunks >= 2, Ordering::Relaxed))
        .until(std::future::poll_fn(|_| {
            match stop.load(Ordering::Relaxed) {
                true => std::task::Poll::Ready(()),
                false => std::task::Poll::Pending,
            }
        }))
        .await
        .unwrap();
    assert_eq!(half.views[0].outcome, RebuildOutcome::Stopped);
}

#[tokio::test]
async fn a_view_whose_filling_was_interrupted_is_reported_and_resumed() -> anyhow::Result<()> {
    let pool = tables(100).await;
    let model = world::model::<Label>();
    model.migrate(&pool).await?;
    interrupt(&model, &pool).await;
    let now = status(&model, &pool).await;
    assert_eq!((now.state, now.done), (RebuildState::Interrupted, 20));
    let check = self::check(&model, &pool).await;
    assert_eq!(check.findings()[0].kind, FindingKind::Unfilled, "{check}");
    let migration = model.migrate(&pool).await?;
    assert_eq!((migration.unfilled.len(), migration.stale.len()), (1, 0));
    let report = model.rebuild(&pool).await?;
    assert_eq!(report.views[0].report.inserted, 80);
    assert!(report.views[0].resumed_at.is_some());
    assert_filled::<Label>(&pool).await;

    // Emptied while it is interrupted: there is nothing to resume.
    run(&pool, "TRUNCATE tv_label").await;
    interrupt(&model, &pool).await;
    run(&pool, "TRUNCATE tv_label").await;
    let report = model.rebuild(&pool).await?;
    assert_eq!(report.views[0].report.inserted, 100);
    assert_filled::<Label>(&pool).await;
    Ok(())
}

/// The statements of the plan are kept in a file, and run elsewhere.
#[tokio::test]
async fn a_view_table_from_files_is_filled() -> anyhow::Result<()> {
    for rows in [0, 25] {
        let empty = tables(0).await;
        let plan = world::model::<Label>().migration_plan(&empty).await?;
        let pool = tables(rows).await;
        for statement in &plan {
            sqlx::raw_sql(AssertSqlSafe(statement.clone()))
                .execute(&pool)
                .await?;
        }
        if rows == 0 {
            assert_filled::<Label>(&pool).await;
        } else {
            assert_fills::<Label>(&pool, 25).await;
        }
    }
    Ok(())
}

/// A new view, and beside it a release that inserts rows and does not know the view.
#[tokio::test]
async fn rows_that_an_older_release_inserts_are_found_by_the_next_rebuild() -> anyhow::Result<()> {
    let pool = tables(6_000).await;
    let model = world::model::<Label>();
    model.migrate(&pool).await?;
    model.rebuild(&pool).await?;
    run(
        &pool,
        "INSERT INTO tb_label VALUES (0, 'first'), (6001, 'last'), (-5, 'before');
         DELETE FROM tb_label WHERE id = 3",
    )
    .await;
    let report = model.rebuild(&pool).await?;
    assert_eq!(report.views[0].report.inserted, 3);
    let verified = model.verify(&pool).await?;
    assert!(
        verified
            .of::<Label>()
            .unwrap()
            .missing
            .of::<Label>()
            .is_empty()
    );
    Ok(())
}

#[tokio::test]
async fn a_full_sync_fills_a_view_too() -> anyhow::Result<()> {
    let pool = tables(30).await;
    world::model::<Label>().migrate(&pool).await?;
    labels::sync_all_labels(&pool).await?;
    assert_filled::<Label>(&pool).await;

    run(&pool, "TRUNCATE tv_label").await;
    labels::sync_all_labels(&pool).await?;
    assert_filled::<Label>(&pool).await;
    Ok(())
}

/// A migration that finds nothing missing does not wait for somebody who has locked a table.
#[tokio::test]
async fn looking_for_documents_waits_for_no_lock() -> anyhow::Result<()> {
    let pool = tables(3).await;
    let model = world::model::<Label>();
    model.migrate(&pool).await?;
    model.rebuild(&pool).await?;
    let mut other = pool.begin().await?;
    sqlx::raw_sql("LOCK TABLE tv_label, tb_label IN ACCESS EXCLUSIVE MODE")
        .execute(&mut *other)
        .await?;
    let migration = model.migrate(&pool).await?;
    assert!(!migration.needs_rebuild());
    other.rollback().await?;
    Ok(())
}

/// The base tables may be created after the view tables.
#[tokio::test]
async fn a_view_without_a_base_table_is_migrated() -> anyhow::Result<()> {
    let pool = fraiseql_tests::pool().await;
    let migration = world::model::<Label>().migrate(&pool).await?;
    assert!(!migration.needs_rebuild());
    run(
        &pool,
        "CREATE TABLE tb_label (id int8 PRIMARY KEY, name text NOT NULL);
         INSERT INTO tb_label VALUES (1, 'one')",
    )
    .await;
    assert_fills::<Label>(&pool, 1).await;
    Ok(())
}

#[tokio::test]
async fn all_documents_of_all_views_are_synced_by_one_call() -> anyhow::Result<()> {
    #[derive(fraiseql_runtime::TView)]
    #[tview(
        table = "tb_label",
        view = "tv_name",
        entity = "name",
        filter = "id > 2"
    )]
    #[allow(dead_code)]
    struct Name {
        id: i64,
        name: String,
    }

    let pool = tables(10).await;
    let batches = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = std::sync::Arc::clone(&batches);
    let model = ReadModel::builder()
        .view::<Label>()
        .view::<Name>()
        .observe(move |event: &fraiseql_runtime::sync::BatchEvent<'_>| {
            seen.lock().unwrap().push(event.entity);
        })
        .build()?;
    model.migrate(&pool).await?;
    let mut progress = Vec::new();
    let report = model
        .sync_all(&pool)
        .chunk(5)
        .connections(2)
        .on_progress(|view, _| progress.push(view.name))
        .await?;
    assert_eq!(report.of::<Label>().unwrap().inserted, 10);
    assert_eq!(report.of::<Name>().unwrap().inserted, 8);
    assert_eq!(report.changed(), 18);
    assert!(report.is_valid() && !report.is_stopped);
    assert!(
        report
            .to_string()
            .starts_with("\"public\".\"tv_label\": 10 inserted"),
        "{report}"
    );
    assert_eq!(progress, ["tv_label", "tv_label", "tv_name", "tv_name"]);
    assert_eq!(*batches.lock().unwrap(), ["label", "label", "name", "name"]);
    assert!(!model.migrate(&pool).await?.needs_rebuild());

    run(
        &pool,
        "DELETE FROM tb_label WHERE id = 4; UPDATE tb_label SET name = 'x' WHERE id = 1",
    )
    .await;
    let report = model.sync_all(&pool).await?;
    let label = report.of::<Label>().unwrap();
    assert_eq!(world::counts(label), [0, 1, 8, 1]);
    let stopped = model.sync_all(&pool).until(std::future::ready(())).await?;
    assert!(stopped.is_stopped && stopped.of::<Name>().is_none());
    Ok(())
}
