//! Tests that documents contain what deferred constraints and triggers do at the end of a transaction.

use fraiseql_runtime::{ReadModel, TView, assert_synced};
use fraiseql_tests::run;
use sqlx::PgPool;

use super::execute;

#[derive(TView)]
#[allow(dead_code)]
struct Invoice {
    id: i64,
    total: i64,
}

#[derive(TView)]
#[allow(dead_code)]
struct Line {
    id: i64,
    invoice_id: i64,
    amount: i64,
}

async fn invoices() -> (PgPool, ReadModel) {
    let pool = fraiseql_tests::pool().await;
    run(
        &pool,
        "CREATE TABLE tb_invoice (id int8 PRIMARY KEY, total int8 NOT NULL);
         CREATE TABLE tb_line (id int8 PRIMARY KEY, invoice_id int8 NOT NULL REFERENCES tb_invoice
             DEFERRABLE INITIALLY IMMEDIATE, amount int8 NOT NULL);
         INSERT INTO tb_invoice VALUES (1, 10); INSERT INTO tb_line VALUES (1, 1, 10);
         CREATE FUNCTION add_up() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             UPDATE tb_invoice SET total =
                 (SELECT sum(amount) FROM tb_line WHERE invoice_id = NEW.invoice_id)
             WHERE id = NEW.invoice_id;
             IF (SELECT total > 1000 FROM tb_invoice WHERE id = NEW.invoice_id) THEN
                 RAISE EXCEPTION 'too much';
             END IF;
             RETURN NULL;
         END $$;
         CREATE CONSTRAINT TRIGGER add_up AFTER INSERT ON tb_line DEFERRABLE INITIALLY DEFERRED
             FOR EACH ROW EXECUTE FUNCTION add_up()",
    )
    .await;
    let model = ReadModel::builder()
        .view::<Invoice>()
        .view::<Line>()
        .build()
        .unwrap();
    model.migrate(&pool).await.unwrap();
    sync_all_invoices(&pool).await.unwrap();
    sync_all_lines(&pool).await.unwrap();
    (pool, model)
}

#[tokio::test]
async fn a_deferred_trigger_runs_before_documents_are_built() -> anyhow::Result<()> {
    let (pool, model) = invoices().await;
    let mut m = model.mutation(&pool).await?;
    execute(&mut m, "INSERT INTO tb_line VALUES (2, 1, 20)").await;
    m.inserted::<Line>(&[2]);
    m.changed::<Invoice>(&[1]);
    m.commit().await?;
    assert_eq!(Invoice::find(&pool, 1).await?.unwrap().total, 30);
    assert_synced(&model, &pool).await;
    // In a strict mutation, a row that it writes is one that has to be marked.
    let mut m = model.mutation(&pool).await?;
    m.strict();
    execute(&mut m, "INSERT INTO tb_line VALUES (3, 1, 30)").await;
    m.inserted::<Line>(&[3]);
    let error = m.commit().await.unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("this strict mutation wrote to tb_invoice and marked no rows"),
        "{error}"
    );
    assert_synced(&model, &pool).await;
    Ok(())
}

/// Also those that the application defers; and rows in an order that only the commit checks.
#[tokio::test]
async fn constraints_that_are_deferred_by_sql_are_checked_before() -> anyhow::Result<()> {
    let (pool, model) = invoices().await;
    let mut m = model.mutation(&pool).await?;
    execute(
        &mut m,
        "SET CONSTRAINTS ALL DEFERRED; INSERT INTO tb_line VALUES (4, 4, 40);
         INSERT INTO tb_invoice VALUES (4, 0)",
    )
    .await;
    m.inserted::<Line>(&[4]);
    m.inserted::<Invoice>(&[4]);
    m.commit().await?;
    assert_eq!(Invoice::find(&pool, 4).await?.unwrap().total, 40);
    assert_synced(&model, &pool).await;
    Ok(())
}

#[tokio::test]
async fn a_deferred_constraint_that_fails_is_named() -> anyhow::Result<()> {
    let (pool, model) = invoices().await;
    for (sql, message) in [
        (
            "SET CONSTRAINTS ALL DEFERRED; INSERT INTO tb_line VALUES (5, 5, 1)",
            "tb_line_invoice_id_fkey",
        ),
        ("INSERT INTO tb_line VALUES (5, 1, 5000)", "too much"),
    ] {
        let mut m = model.mutation(&pool).await?;
        execute(&mut m, sql).await;
        m.inserted::<Line>(&[5]);
        m.changed::<Invoice>(&[1, 5]);
        let text = m.commit().await.unwrap_err().to_string();
        assert!(
            text.starts_with("checking deferred constraints: error returned from database: ")
                && text.contains(message),
            "{text}"
        );
        assert_synced(&model, &pool).await;
    }
    Ok(())
}

/// A sync in a transaction of the caller, who says when the constraints are checked.
#[tokio::test]
async fn a_transaction_checks_its_constraints_before_a_sync() -> anyhow::Result<()> {
    let (pool, model) = invoices().await;
    let mut tx = pool.begin().await?;
    sqlx::raw_sql("INSERT INTO tb_line VALUES (2, 1, 20); SET CONSTRAINTS ALL IMMEDIATE")
        .execute(&mut *tx)
        .await?;
    sync_line(&mut tx, &[2]).await?;
    sync_invoice(&mut tx, &[1]).await?;
    tx.commit().await?;
    assert_synced(&model, &pool).await;
    Ok(())
}
