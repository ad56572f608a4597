//! Tests of base tables whose rows are in several tables: inheritance and partitions.

use fraiseql_runtime::check::{FindingKind, Remedy};
use fraiseql_runtime::{Embed, TView};
use fraiseql_tests::{run, world};
use sqlx::{AssertSqlSafe, PgPool};

use super::check;

#[derive(TView)]
#[allow(dead_code)]
struct Item {
    id: i64,
    name: String,
    #[tview(many(fk = "item_id"))]
    lines: Vec<Line>,
}

#[derive(Embed)]
#[allow(dead_code)]
#[tview(table = "tb_line")]
struct Line {
    id: i64,
}

async fn tables(sql: &'static str) -> PgPool {
    let pool = fraiseql_tests::pool().await;
    run(&pool, sql).await;
    world::model::<Item>().migrate(&pool).await.unwrap();
    pool
}

/// Runs the remedies until there is no finding of the kind. Returns their number.
async fn repaired(pool: &PgPool, kind: FindingKind) -> usize {
    for round in 0..9 {
        let report = check::<Item>(pool).await;
        let Some(finding) = report
            .findings()
            .iter()
            .find(|finding| finding.kind == kind)
        else {
            return round;
        };
        for remedy in &finding.remedies {
            match remedy {
                Remedy::Sql(sql) => drop(
                    sqlx::raw_sql(AssertSqlSafe(sql.clone()))
                        .execute(pool)
                        .await
                        .unwrap(),
                ),
                Remedy::Migrate => drop(world::model::<Item>().migrate(pool).await.unwrap()),
                _ => panic!("{report}"),
            }
        }
    }
    panic!("its remedies do not help");
}

const INHERITED: &str = "
CREATE TABLE tb_item (id int8 PRIMARY KEY, name text NOT NULL);
CREATE TABLE tb_book (isbn text, PRIMARY KEY (id)) INHERITS (tb_item);
CREATE TABLE tb_line (id int8 PRIMARY KEY, item_id int8 NOT NULL);
CREATE INDEX ON tb_line (item_id);
CREATE TABLE tb_old_line () INHERITS (tb_line);
INSERT INTO tb_item VALUES (7, 'one'), (8, 'two');
INSERT INTO tb_book VALUES (7, 'the same key', 'x')";

#[tokio::test]
async fn a_key_that_inheriting_tables_can_repeat_is_reported() -> anyhow::Result<()> {
    let pool = tables(INHERITED).await;
    let report = check::<Item>(&pool).await;
    let finding = report
        .findings()
        .iter()
        .find(|finding| finding.kind == FindingKind::NotUnique);
    let finding = finding.unwrap_or_else(|| panic!("{report}"));
    assert_eq!(finding.path, "Item.id");
    assert!(
        finding.message.contains("\"public\".\"tb_book\""),
        "{report}"
    );
    Ok(())
}

#[tokio::test]
async fn verify_counts_a_key_once_that_inheriting_tables_repeat() -> anyhow::Result<()> {
    let pool = tables(INHERITED).await;
    let report = verify_item(&pool).await?;
    assert_eq!(report.missing.of::<Item>(), [7, 8]);
    assert_eq!(report.checked, 2);
    Ok(())
}

#[tokio::test]
async fn an_index_that_inheriting_tables_lack_is_reported_and_repaired() {
    let pool = tables(INHERITED).await;
    let report = check::<Item>(&pool).await;
    assert!(
        report
            .to_string()
            .contains("\"public\".\"tb_old_line\", which inherits from tb_line"),
        "{report}"
    );
    assert_eq!(repaired(&pool, FindingKind::MissingIndex).await, 1);
    run(&pool, "DROP INDEX tb_line_item_id_idx").await;
    assert_eq!(repaired(&pool, FindingKind::MissingIndex).await, 1);
}

const PARTITIONED: &str = "
CREATE TABLE tb_item (id int8 PRIMARY KEY, name text NOT NULL);
CREATE TABLE tb_line (id int8 NOT NULL, item_id int8 NOT NULL) PARTITION BY HASH (id);
CREATE TABLE tb_line_0 PARTITION OF tb_line FOR VALUES WITH (modulus 2, remainder 0) PARTITION BY HASH (id);
CREATE TABLE tb_line_0_0 PARTITION OF tb_line_0 FOR VALUES WITH (modulus 1, remainder 0);
CREATE TABLE tb_line_1 PARTITION OF tb_line FOR VALUES WITH (modulus 2, remainder 1);
INSERT INTO tb_item VALUES (1, 'one');
INSERT INTO tb_line SELECT i, 1 FROM generate_series(1, 20) AS i";

#[tokio::test]
async fn an_index_that_partitions_lack_is_reported_and_repaired() {
    let pool = tables(PARTITIONED).await;
    assert_eq!(repaired(&pool, FindingKind::MissingIndex).await, 1);

    // Not valid: it has no partitions yet.
    let pool = tables(PARTITIONED).await;
    run(&pool, "CREATE INDEX ON ONLY tb_line (item_id)").await;
    let report = check::<Item>(&pool).await;
    assert!(report.to_string().contains("is not valid"), "{report}");
    assert_eq!(repaired(&pool, FindingKind::MissingIndex).await, 1);

    let pool = tables(PARTITIONED).await;
    run(&pool, "CREATE INDEX ON tb_line_1 (item_id)").await;
    assert_eq!(repaired(&pool, FindingKind::MissingIndex).await, 1);
}

#[tokio::test]
async fn indexes_of_all_partitions_are_enough() {
    let pool = tables(PARTITIONED).await;
    run(
        &pool,
        "CREATE INDEX ON tb_line_1 (item_id); CREATE INDEX ON tb_line_0 (item_id)",
    )
    .await;
    assert_eq!(repaired(&pool, FindingKind::MissingIndex).await, 0);
}

#[tokio::test]
async fn a_key_that_a_partitioned_table_cannot_make_unique_is_no_statement() {
    let pool = tables(
        "CREATE TABLE tb_item (id int8 NOT NULL, name text NOT NULL) PARTITION BY HASH (name);
         CREATE TABLE tb_item_0 PARTITION OF tb_item FOR VALUES WITH (modulus 1, remainder 0);
         CREATE TABLE tb_line (id int8 PRIMARY KEY, item_id int8 NOT NULL);
         CREATE INDEX ON tb_line (item_id)",
    )
    .await;
    let report = check::<Item>(&pool).await;
    let finding = report
        .findings()
        .iter()
        .find(|finding| finding.kind == FindingKind::NotUnique);
    let finding = finding.unwrap_or_else(|| panic!("{report}"));
    assert!(
        matches!(finding.remedies.as_slice(), [Remedy::Other(text)] if text.contains("partitioned by name")),
        "{report}"
    );
}

#[tokio::test]
async fn an_invalid_index_of_a_partitioned_view_table_is_repaired() {
    #[derive(TView)]
    #[tview(table = "tb_item", view = "tv_item", partition(hash = 2))]
    #[allow(dead_code)]
    struct Parted {
        id: i64,
        #[tview(sort)]
        name: String,
    }

    let pool = fraiseql_tests::pool().await;
    run(&pool, PARTITIONED).await;
    let model = world::model::<Parted>();
    model.migrate(&pool).await.unwrap();
    run(
        &pool,
        "DROP INDEX tv_item_name_idx; CREATE INDEX tv_item_name_idx ON ONLY tv_item (name, id)",
    )
    .await;
    for expected in [FindingKind::InvalidIndex, FindingKind::OutdatedViewTable] {
        let report = check::<Parted>(&pool).await;
        let [finding] = report.findings() else {
            panic!("{report}");
        };
        assert_eq!(finding.kind, expected, "{report}");
        match &finding.remedies[0] {
            Remedy::Sql(sql) => drop(
                sqlx::raw_sql(AssertSqlSafe(sql.clone()))
                    .execute(&pool)
                    .await
                    .unwrap(),
            ),
            _ => drop(model.migrate(&pool).await.unwrap()),
        }
    }
    assert_eq!(check::<Parted>(&pool).await.findings().len(), 0);
}
