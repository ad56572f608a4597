//! Tests of fields that are made of other rows: aggregates and lists. Random changes of all tables, in
//! each way to sync, and after every commit the documents equal those of SQL written by hand. For others, set
//! `OTHER_ROWS_SEED`.

mod changes;
mod check;
mod concurrent;
mod equal;
mod expected;
mod grants;
mod invalid;
mod locks;
mod structs;

use fraiseql_runtime::{Capture, ReadModel};
use fraiseql_tests::run;
use sqlx::{AssertSqlSafe, PgPool};

use self::changes::{Changes, Statement};
use self::expected::assert_right;

const TABLES: &str = "
CREATE TABLE tb_project (id int8 PRIMARY KEY, name text NOT NULL);
CREATE TABLE tb_ticket (id int8 PRIMARY KEY,
    project_id int8 NOT NULL REFERENCES tb_project ON DELETE CASCADE ON UPDATE CASCADE,
    status text NOT NULL, points numeric(6, 2), memo text);
CREATE INDEX ON tb_ticket (project_id);
CREATE TABLE tb_hours (id int8 PRIMARY KEY,
    ticket_id int8 NOT NULL REFERENCES tb_ticket ON DELETE CASCADE ON UPDATE CASCADE,
    person text NOT NULL, hours numeric(6, 2) NOT NULL, billed boolean NOT NULL, memo text);
CREATE INDEX ON tb_hours (ticket_id);
CREATE TABLE tb_label (id int8 PRIMARY KEY, name text NOT NULL, memo text);
CREATE TABLE tb_project_label (id int8 PRIMARY KEY,
    project_id int8 NOT NULL REFERENCES tb_project ON DELETE CASCADE ON UPDATE CASCADE,
    label_id int8 NOT NULL REFERENCES tb_label ON DELETE CASCADE ON UPDATE CASCADE,
    position int4 NOT NULL, memo text);
CREATE INDEX ON tb_project_label (project_id);
CREATE INDEX ON tb_project_label (label_id);
INSERT INTO tb_project SELECT i, 'project ' || i FROM generate_series(1, 4) AS i;
INSERT INTO tb_ticket SELECT i, 1 + i % 3, CASE i % 2 WHEN 0 THEN 'open' ELSE 'done' END, i % 4 FROM generate_series(1, 9) AS i;
INSERT INTO tb_hours SELECT i, 1 + i % 7, 'person ' || i % 3, i % 5, i % 2 = 0 FROM generate_series(1, 15) AS i;
INSERT INTO tb_label SELECT i, 'label ' || i % 3 FROM generate_series(1, 4) AS i;
INSERT INTO tb_project_label SELECT i, 1 + i % 3, 1 + i % 4, i % 5 FROM generate_series(1, 8) AS i;
";

/// How documents are synced.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// A mutation, with marks.
    Marks,
    /// A mutation, by captured changes.
    Mutation,
    /// A worker, after the commit.
    Worker,
    /// The commit of any transaction.
    Commit,
}

impl Way {
    const fn capture(self) -> Option<Capture> {
        match self {
            Self::Marks => None,
            Self::Mutation | Self::Worker => Some(Capture::Queue),
            Self::Commit => Some(Capture::AtCommit),
        }
    }
}

async fn synced(way: Way) -> anyhow::Result<(PgPool, ReadModel)> {
    let pool = fraiseql_tests::pool().await;
    run(&pool, TABLES).await;
    let mut builder = structs::model();
    if let Some(capture) = way.capture() {
        builder = builder.capture(capture);
    }
    let model = builder.build()?;
    model.migrate(&pool).await?;
    model.sync_all(&pool).await?;
    model.check(&pool).await?.into_result()?;
    assert_right(&pool, "the first sync").await;
    Ok((pool, model))
}

/// Runs the statements in one transaction. Mutations sync.
async fn commit(
    pool: &PgPool,
    model: &ReadModel,
    way: Way,
    statements: &[Statement],
) -> anyhow::Result<()> {
    let sql = |statement: &Statement| AssertSqlSafe(statement.sql.clone());
    match way {
        Way::Marks | Way::Mutation => {
            let mut m = model.mutation(pool).await?;
            for statement in statements {
                let ids: Vec<i64> = sqlx::query_scalar(sql(statement))
                    .fetch_all(&mut *m)
                    .await?;
                if way == Way::Marks {
                    m.changed_rows(statement.table, "id", &ids)?;
                }
            }
            m.commit().await?;
        }
        Way::Worker | Way::Commit => {
            let mut tx = pool.begin().await?;
            for statement in statements {
                sqlx::query(sql(statement)).execute(&mut *tx).await?;
            }
            tx.commit().await?;
        }
    }
    Ok(())
}

async fn random_changes(way: Way) -> anyhow::Result<()> {
    let (pool, model) = synced(way).await?;
    let seed = std::env::var("OTHER_ROWS_SEED").map_or(Ok(0x5eed), |seed| seed.parse())?;
    let mut changes = Changes::new(seed);
    for _ in 0..80 {
        let statements = changes.transaction(way.capture().is_some());
        commit(&pool, &model, way, &statements).await?;
        if way == Way::Worker {
            model.worker(&pool).drain().await?;
        }
        if way.capture().is_some() {
            let changes = model.changes(&pool).await?;
            assert_eq!((changes.pending, changes.dead), (0, 0), "{changes}");
        }
        assert_right(&pool, &format!("{statements:#?}")).await;
    }
    Ok(())
}

#[tokio::test]
async fn random_changes_with_marks() -> anyhow::Result<()> {
    random_changes(Way::Marks).await
}

#[tokio::test]
async fn random_changes_that_a_mutation_captures() -> anyhow::Result<()> {
    random_changes(Way::Mutation).await
}

#[tokio::test]
async fn random_changes_that_a_worker_drains() -> anyhow::Result<()> {
    random_changes(Way::Worker).await
}

#[tokio::test]
async fn random_changes_that_are_synced_at_their_commit() -> anyhow::Result<()> {
    random_changes(Way::Commit).await
}

/// No document has the column `memo` of any table.
#[tokio::test]
async fn an_update_of_another_column_writes_no_change() -> anyhow::Result<()> {
    let (pool, model) = synced(Way::Worker).await?;
    for table in changes::TABLES {
        if table != "tb_project" {
            let sql = format!("UPDATE {table} SET memo = 'new'");
            sqlx::query(AssertSqlSafe(sql)).execute(&pool).await?;
        }
        let changes = model.changes(&pool).await?;
        assert_eq!(changes.pending, 0, "{table}: {changes}");
    }
    Ok(())
}
