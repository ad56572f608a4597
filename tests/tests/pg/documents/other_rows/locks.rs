//! Tests that a document waits for a row that another transaction changes and that decides what the document
//! is made of: without, each would build it without the change of the other.

use fraiseql_runtime::{Capture, ReadModel, TView};
use fraiseql_tests::run;
use sqlx::PgPool;

use super::TABLES;
use super::structs::{First, Lists, Totals};

/// A change of one transaction, and one of another that has to wait for it.
struct Race {
    first: &'static str,
    second: &'static str,
    /// The table and the key of the row that the second one changes.
    marked: (&'static str, i64),
}

/// A label is renamed, and linked to a project.
const LINK: Race = Race {
    first: "UPDATE tb_label SET name = 'new' WHERE id = 1",
    second: "INSERT INTO tb_project_label VALUES (100, 4, 1, 0)",
    marked: ("tb_project_label", 100),
};

/// A ticket is moved to another project, and gets more hours.
const MOVE: Race = Race {
    first: "UPDATE tb_ticket SET project_id = 4 WHERE id = 1",
    second: "INSERT INTO tb_hours VALUES (100, 1, 'new', 1, false)",
    marked: ("tb_hours", 100),
};

/// Whether the second transaction, a mutation, waits for the first one.
async fn waits<V: TView>(
    pool: &PgPool,
    capture: Option<Capture>,
    race: &Race,
) -> anyhow::Result<bool> {
    let mut builder = ReadModel::builder().view::<V>();
    if let Some(capture) = capture {
        builder = builder.capture(capture);
    }
    let model = builder.build()?;
    model.migrate(pool).await?;
    model.sync_all(pool).await?;
    let mut other = pool.begin().await?;
    sqlx::query(race.first).execute(&mut *other).await?;
    let mut m = model.mutation(pool).await?;
    sqlx::query("SET LOCAL lock_timeout = '200ms'")
        .execute(&mut *m)
        .await?;
    sqlx::query(race.second).execute(&mut *m).await?;
    if capture.is_none() {
        let (table, id) = race.marked;
        m.changed_rows(table, "id", &[id])?;
    }
    let waits = match m.commit().await {
        Ok(_) => false,
        Err(error) => {
            assert!(error.to_string().contains("lock timeout"), "{error}");
            true
        }
    };
    other.rollback().await?;
    Ok(waits)
}

async fn all_wait<V: TView>(race: &Race) -> anyhow::Result<()> {
    for capture in [None, Some(Capture::Queue)] {
        let pool = fraiseql_tests::pool().await;
        run(&pool, TABLES).await;
        // The checks of foreign keys lock rows, too.
        run(
            &pool,
            "ALTER TABLE tb_project_label DROP CONSTRAINT tb_project_label_label_id_fkey;
             ALTER TABLE tb_hours DROP CONSTRAINT tb_hours_ticket_id_fkey",
        )
        .await;
        assert!(waits::<V>(&pool, capture, race).await?, "{capture:?}");
    }
    Ok(())
}

#[tokio::test]
async fn the_first_row_through_a_join_table_is_locked() -> anyhow::Result<()> {
    all_wait::<First>(&LINK).await
}

#[tokio::test]
async fn values_through_a_join_table_are_locked() -> anyhow::Result<()> {
    all_wait::<Lists>(&LINK).await
}

#[tokio::test]
async fn the_rows_between_a_row_and_those_of_its_aggregate_are_locked() -> anyhow::Result<()> {
    all_wait::<Totals>(&MOVE).await
}
