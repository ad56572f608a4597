//! Tests of changes in transactions, of large statements, and of sessions that outlive a table.

use std::collections::BTreeSet;

use serde_json::json;
use sqlx::Connection as _;

use super::{blog, changes, lines};

#[tokio::test]
async fn a_change_belongs_to_the_top_transaction_and_is_rolled_back_with_its_savepoint()
-> anyhow::Result<()> {
    let pool = blog().await;
    let mut tx = pool.begin().await?;
    sqlx::query("INSERT INTO tb_tag VALUES (3, 'three')")
        .execute(&mut *tx)
        .await?;
    let mut savepoint = tx.begin().await?;
    sqlx::query("INSERT INTO tb_tag VALUES (4, 'four')")
        .execute(&mut *savepoint)
        .await?;
    savepoint.rollback().await?;
    let mut savepoint = tx.begin().await?;
    sqlx::query("INSERT INTO tb_tag VALUES (5, 'five')")
        .execute(&mut *savepoint)
        .await?;
    let own: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM fraiseql_change WHERE xid = pg_current_xact_id() AND attempts = 0
           AND retry_at IS NULL AND error IS NULL AND changed_at <= clock_timestamp()",
    )
    .fetch_one(&mut *savepoint)
    .await?;
    assert_eq!(own, 2);
    savepoint.commit().await?;
    assert_eq!(
        lines(changes(&mut tx).await),
        [
            r#"INSERT tb_tag null {"id":[3]}"#,
            r#"INSERT tb_tag null {"id":[5]}"#
        ]
    );
    Ok(())
}

#[tokio::test]
async fn a_large_statement_writes_a_change_for_each_ten_thousand_rows() -> anyhow::Result<()> {
    let pool = blog().await;
    for (sql, images) in [
        (
            "INSERT INTO tb_user SELECT i, 'user' FROM generate_series(1001, 26000) AS i",
            [false, true],
        ),
        (
            "UPDATE tb_user SET name = 'x' WHERE id > 1000",
            [true, true],
        ),
        (
            "UPDATE tb_user SET id = id + 25000 WHERE id > 1000",
            [true, true],
        ),
        ("DELETE FROM tb_user WHERE id > 1000", [true, false]),
    ] {
        let mut tx = pool.begin().await?;
        sqlx::raw_sql(sql).execute(&mut *tx).await?;
        let changes = changes(&mut tx).await;
        assert_eq!(changes.len(), 3, "{sql}");
        for (has, image) in images.into_iter().zip([2, 3]) {
            let mut keys = BTreeSet::new();
            let mut number = 0;
            for (_, _, old, new) in &changes {
                let value = if image == 2 { old } else { new };
                let Some(ids) = value["id"].as_array() else {
                    assert_eq!(*value, json!(null));
                    continue;
                };
                assert!(ids.len() <= 10_000, "{}", ids.len());
                number += ids.len();
                keys.extend(ids.iter().map(|id| id.as_i64().unwrap()));
            }
            assert_eq!(
                (number, keys.len()),
                if has { (25_000, 25_000) } else { (0, 0) },
                "{sql}"
            );
        }
        tx.commit().await?;
    }
    Ok(())
}

/// A plan is kept for a session, and the table changes meanwhile.
#[tokio::test]
async fn a_table_may_change_while_sessions_use_it() -> anyhow::Result<()> {
    let pool = blog().await;
    let mut session = pool.acquire().await?;
    for (step, ddl) in [
        "SELECT",
        "ALTER TABLE tb_post ADD COLUMN extra text DEFAULT 'x'",
        "ALTER TABLE tb_post DROP COLUMN views",
        "ALTER TABLE tb_post ALTER COLUMN title TYPE varchar(100)",
        "ALTER TABLE tb_post DROP COLUMN extra",
        "ALTER TABLE tb_post RENAME TO tb_articles; ALTER TABLE tb_articles RENAME TO tb_post",
    ]
    .into_iter()
    .enumerate()
    {
        sqlx::raw_sql(ddl).execute(&mut *session).await?;
        for _ in 0..7 {
            sqlx::raw_sql(sqlx::AssertSqlSafe(format!(
                "UPDATE tb_post SET title = title || '{step}' WHERE id = 1"
            )))
            .execute(&mut *session)
            .await?;
        }
        let done = lines(changes(&mut session).await);
        assert_eq!(done.len(), 7, "{ddl}");
        assert_eq!(
            done[0], r#"UPDATE tb_post {"author_id":[1],"id":[1]} {"author_id":[1],"id":[1]}"#,
            "{ddl}"
        );
    }
    Ok(())
}
