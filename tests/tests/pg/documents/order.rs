//! Tests that documents do not depend on where rows are in a table: aggregates of values whose
//! result depends on the order in which they are added or compared.

use fraiseql_runtime::TView;
use fraiseql_tests::{run, world};
use rust_decimal::Decimal;
use sqlx::{AssertSqlSafe, PgPool};

const TABLES: &str = "
CREATE TABLE tb_order (id int4 PRIMARY KEY);
CREATE TABLE tb_line (id int4 PRIMARY KEY, order_id int4 NOT NULL, amount float8 NOT NULL,
    small float4 NOT NULL, price numeric NOT NULL, count int4 NOT NULL, name text NOT NULL);
INSERT INTO tb_order VALUES (1), (2);
INSERT INTO tb_line VALUES (1, 1, 0.1, 0.1, 1.0, 1, 'a'), (2, 1, 0.2, 1e8, 1.00, 2, 'B'),
    (3, 1, 0.3, -1e8, 0.999, 3, 'b');
";

#[derive(Debug, TView)]
#[tview(table = "tb_order", entity = "order")]
#[allow(dead_code)]
struct Order {
    id: i32,
    #[tview(sum(table = "tb_line", fk = "order_id", expr = "{}.amount"), sort)]
    total: f64,
    #[tview(sum(table = "tb_line", fk = "order_id", expr = "{}.amount * {}.count"))]
    weighted: Option<f64>,
    #[tview(sum(table = "tb_line", fk = "order_id", expr = "{}.small"))]
    small: f32,
    #[tview(sum(table = "tb_line", fk = "order_id", expr = "DISTINCT {}.amount"))]
    distinct: f64,
    #[tview(sum(table = "tb_line", fk = "order_id", expr = "{}.amount ORDER BY {}.id"))]
    ordered: f64,
    #[tview(sum(table = "tb_line", fk = "order_id", expr = "{}.amount"))]
    exact: Decimal,
    #[tview(avg(table = "tb_line", fk = "order_id", expr = "{}.amount"))]
    mean: Option<f64>,
    #[tview(avg(table = "tb_line", fk = "order_id", expr = "{}.count"))]
    counts: Option<f64>,
    #[tview(avg(
        table = "tb_line",
        fk = "order_id",
        expr = "{}.amount",
        filter = "{}.id > 1"
    ))]
    later: Option<Decimal>,
    #[tview(max(table = "tb_line", fk = "order_id", expr = "{}.price"))]
    highest: Option<Decimal>,
    #[tview(min(
        table = "tb_line",
        fk = "order_id",
        expr = "{}.price",
        filter = "{}.price >= 1"
    ))]
    lowest: Option<Decimal>,
    #[tview(sum(table = "tb_line", fk = "order_id", expr = "{}.price", distinct))]
    distinct_prices: Decimal,
    #[tview(avg(table = "tb_line", fk = "order_id", expr = "{}.price", distinct))]
    distinct_mean: Option<Decimal>,
    #[tview(sum(table = "tb_line", fk = "order_id", expr = "{}.amount", distinct))]
    distinct_amounts: Decimal,
    #[tview(max(table = "tb_line", fk = "order_id", expr = "{}.name COLLATE nocase"))]
    last: Option<String>,
}

const COLLATION: &str = "CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2',
    deterministic = false)";

async fn orders() -> PgPool {
    let pool = fraiseql_tests::pool().await;
    if sqlx::query(COLLATION).execute(&pool).await.is_err() {
        // A server without ICU.
        run(&pool, "CREATE COLLATION nocase FROM \"C\"").await;
    }
    run(&pool, TABLES).await;
    world::model::<Order>().migrate(&pool).await.unwrap();
    pool
}

#[tokio::test]
async fn a_row_that_was_moved_within_its_table_changes_no_document() -> anyhow::Result<()> {
    let pool = orders().await;
    sync_all_orders(&pool).await?;
    let stored = Order::find_json(&pool, 1).await?.unwrap();
    for order in [[1, 2, 3], [3, 2, 1], [2, 3, 1], [1, 3, 2], [2, 1, 3]] {
        for id in order {
            let touch = format!("UPDATE tb_line SET count = count WHERE id = {id}");
            sqlx::raw_sql(AssertSqlSafe(touch)).execute(&pool).await?;
        }
        let report = world::model::<Order>().verify(&pool).await?;
        assert!(report.is_clean(), "{order:?}\n{report}\n{}", stored.get());
        assert_eq!(sync_order(&pool, &[1, 2]).await?.unchanged, 2, "{order:?}");
    }
    Ok(())
}

#[tokio::test]
async fn sums_of_floats_as_decimals_are_exact() -> anyhow::Result<()> {
    let pool = orders().await;
    sync_all_orders(&pool).await?;
    let order = Order::find(&pool, 1).await?.unwrap();
    assert_eq!(order.exact.to_string(), "0.6");
    assert_eq!(order.later, Some(Decimal::new(25, 2)));
    assert_eq!(order.counts, Some(2.0));
    let empty = Order::find(&pool, 2).await?.unwrap();
    assert_eq!((empty.total, empty.mean, empty.highest), (0.0, None, None));
    assert_eq!(empty.exact.to_string(), "0");
    Ok(())
}
