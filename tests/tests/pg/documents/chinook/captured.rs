//! Tests of captured changes: files of SQL change the sample data in every way, no code says what they changed, and
//! the documents equal those of SQL written by hand.

use fraiseql_runtime::{Capture, ReadModel};
use fraiseql_tests::run;
use sqlx::{AssertSqlSafe, Executor as _, PgPool};

use super::chinook;
use super::expected::ALL;
use super::structs::{Album, Customer, CustomerText, Employee, Playlist};

/// The files, in the order in which they are run: each finds what the ones before it have left.
const SCRIPTS: [(&str, &str); 9] = [
    ("reprice", include_str!("scripts/reprice.sql")),
    ("move_tracks", include_str!("scripts/move_tracks.sql")),
    ("merge_artists", include_str!("scripts/merge_artists.sql")),
    ("playlists", include_str!("scripts/playlists.sql")),
    (
        "common_table_expressions",
        include_str!("scripts/common_table_expressions.sql"),
    ),
    ("functions", include_str!("scripts/functions.sql")),
    ("people", include_str!("scripts/people.sql")),
    (MERGE, include_str!("scripts/merge.sql")),
    ("truncate", include_str!("scripts/truncate.sql")),
];
/// Needs PostgreSQL 15.
const MERGE: &str = "merge";

/// Rows that others take along, and counters behind the rows that the sample data numbers itself.
const CASCADES: &str = "
ALTER TABLE playlist_track
    DROP CONSTRAINT playlist_track_playlist_id_fkey, DROP CONSTRAINT playlist_track_track_id_fkey,
    ADD FOREIGN KEY (playlist_id) REFERENCES playlist ON DELETE CASCADE ON UPDATE CASCADE,
    ADD FOREIGN KEY (track_id) REFERENCES track ON DELETE CASCADE;
ALTER TABLE invoice_line
    DROP CONSTRAINT invoice_line_track_id_fkey,
    ADD FOREIGN KEY (track_id) REFERENCES track ON DELETE CASCADE;
SELECT setval('invoice_invoice_id_seq', (SELECT max(invoice_id) FROM invoice));
SELECT setval('invoice_line_invoice_line_id_seq', (SELECT max(invoice_line_id) FROM invoice_line));
";

/// The sample database with all documents, and triggers.
async fn captured(test: &str, capture: Capture) -> anyhow::Result<Option<(PgPool, ReadModel)>> {
    let Some(pool) = chinook(test).await? else {
        return Ok(None);
    };
    run(&pool, CASCADES).await;
    let model = ReadModel::builder()
        .view::<Album>()
        .view::<Playlist>()
        .view::<Customer>()
        .view::<CustomerText>()
        .view::<Employee>()
        .capture(capture)
        .build()?;
    model.migrate(&pool).await?;
    model.sync_all(&pool).await?;
    Ok(Some((pool, model)))
}

/// The files that this server can run.
async fn scripts(pool: &PgPool) -> sqlx::Result<Vec<(&'static str, &'static str)>> {
    let version: i32 = sqlx::query_scalar("SELECT current_setting('server_version_num')::int4")
        .fetch_one(pool)
        .await?;
    let can_run = |(name, _): &(&str, &str)| *name != MERGE || version >= 150_000;
    Ok(SCRIPTS.into_iter().filter(can_run).collect())
}

/// Runs a file as psql does: statement by statement, on one connection.
async fn run_file(pool: &PgPool, name: &str, sql: &'static str) -> anyhow::Result<()> {
    let mut connection = pool.acquire().await?;
    for statement in statements(sql) {
        let done = connection.execute(sqlx::raw_sql(AssertSqlSafe(statement.clone())));
        done.await
            .map_err(|error| anyhow::anyhow!("{name}.sql: {error}\n{statement}"))?;
    }
    Ok(())
}

/// The statements of a file. One ends with a line that ends with a semicolon, outside of a body in `$$`.
fn statements(sql: &str) -> Vec<String> {
    let mut statements = vec![String::new()];
    let mut in_body = false;
    for line in sql.lines() {
        if line.matches("$$").count() % 2 == 1 {
            in_body = !in_body;
        }
        if let Some(last) = statements.last_mut() {
            last.push_str(line);
            last.push('\n');
        }
        if line.ends_with(';') && !in_body {
            statements.push(String::new());
        }
    }
    statements.retain(|statement| !statement.trim().is_empty());
    statements
}

/// Rows that arrive by COPY.
async fn copy(pool: &PgPool) -> anyhow::Result<()> {
    let mut connection = pool.acquire().await?;
    for (table, rows) in [
        ("artist (artist_id, name)", "900\tCopied\n901\t\\N\n"),
        (
            "album (album_id, title, artist_id)",
            "900\tFirst\t900\n901\tSecond\t901\n",
        ),
        ("playlist (playlist_id, name)", "900\tCopied\n"),
        (
            "playlist_track (playlist_id, track_id)",
            "900\t1\n900\t2\n900\t3\n1\t3503\n",
        ),
    ] {
        let mut copy = connection
            .copy_in_raw(&format!("COPY {table} FROM STDIN"))
            .await?;
        copy.send(rows.as_bytes()).await?;
        copy.finish().await?;
    }
    Ok(())
}

/// How many documents differ from the SQL written by hand.
async fn wrong(pool: &PgPool) -> sqlx::Result<usize> {
    let mut wrong = 0;
    for view in ALL {
        wrong += view.wrong(pool).await?.len();
    }
    Ok(wrong)
}

#[tokio::test]
async fn files_of_sql_are_right_with_each_commit() -> anyhow::Result<()> {
    let test = "files_of_sql_are_right_with_each_commit";
    let Some((pool, model)) = captured(test, Capture::AtCommit).await? else {
        return Ok(());
    };
    for (name, sql) in scripts(&pool).await? {
        run_file(&pool, name, sql).await?;
        assert_eq!(wrong(&pool).await?, 0, "after {name}.sql");
    }
    copy(&pool).await?;
    for view in ALL {
        view.assert_right(&pool).await?;
    }
    // Nothing was left to a worker.
    let changes = model.changes(&pool).await?;
    assert_eq!(changes.pending, 0, "{changes}");
    Ok(())
}

#[tokio::test]
async fn files_of_sql_are_right_when_a_worker_has_drained() -> anyhow::Result<()> {
    let test = "files_of_sql_are_right_when_a_worker_has_drained";
    let Some((pool, model)) = captured(test, Capture::Queue).await? else {
        return Ok(());
    };
    let worker = model.worker(&pool);
    for (name, sql) in scripts(&pool).await? {
        run_file(&pool, name, sql).await?;
        assert!(wrong(&pool).await? > 0, "{name}.sql changes documents");
        worker.drain().await?;
        assert_eq!(wrong(&pool).await?, 0, "after {name}.sql");
    }
    copy(&pool).await?;
    worker.drain().await?;
    for view in ALL {
        view.assert_right(&pool).await?;
    }
    let changes = model.changes(&pool).await?;
    assert_eq!((changes.pending, changes.dead), (0, 0), "{changes}");
    Ok(())
}

#[tokio::test]
async fn a_backlog_of_all_files_is_drained_by_two_workers() -> anyhow::Result<()> {
    let test = "a_backlog_of_all_files_is_drained_by_two_workers";
    let Some((pool, model)) = captured(test, Capture::Queue).await? else {
        return Ok(());
    };
    for (name, sql) in scripts(&pool).await? {
        run_file(&pool, name, sql).await?;
    }
    copy(&pool).await?;
    let (one, two) = (model.worker(&pool).batch(3), model.worker(&pool).batch(3));
    let (one, two) = tokio::try_join!(one.drain(), two.drain())?;
    assert_eq!(one.failed + two.failed, 0, "{one}; {two}");
    for view in ALL {
        view.assert_right(&pool).await?;
    }
    Ok(())
}
