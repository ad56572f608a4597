//! Tests of values that are equal and have different texts: which of them a document has does not depend on
//! the order of the rows.

use fraiseql_runtime::{Embed, ReadModel, TEnum, TView};
use fraiseql_tests::run;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool};

const TABLES: &str = "
CREATE TABLE tb_order (id int4 PRIMARY KEY);
CREATE TABLE tb_line (id int4 PRIMARY KEY, order_id int4 NOT NULL REFERENCES tb_order,
    price numeric NOT NULL, state text NOT NULL);
CREATE INDEX ON tb_line (order_id);
INSERT INTO tb_order VALUES (1);
INSERT INTO tb_line VALUES (1, 1, 1.0, 'sent'), (2, 1, 1.00, 'open'), (3, 1, 2, 'OPEN');
";

/// Two labels of a variant are one value, and values are in the order of the variants.
#[derive(Clone, Copy, Debug, TEnum)]
enum State {
    Sent,
    Open,
}

#[derive(TView)]
#[allow(dead_code)]
struct Order {
    id: i32,
    #[tview(values(table = "tb_line", fk = "order_id", column = "price", distinct))]
    prices: Vec<Decimal>,
    #[tview(values(table = "tb_line", fk = "order_id", column = "price"))]
    all_prices: Vec<Decimal>,
    #[tview(values(table = "tb_line", fk = "order_id", column = "state", distinct))]
    states: Vec<State>,
    #[tview(many(fk = "order_id"))]
    by_price: Vec<PriceCount>,
    #[tview(many(fk = "order_id"))]
    by_state: Vec<StateCount>,
}

#[derive(Embed)]
#[tview(table = "tb_line", group_by = "price")]
#[allow(dead_code)]
struct PriceCount {
    price: Decimal,
    #[tview(count)]
    lines: i64,
}

#[derive(Embed)]
#[tview(table = "tb_line", group_by = "state")]
#[allow(dead_code)]
struct StateCount {
    state: State,
    #[tview(count)]
    lines: i64,
}

async fn stored(pool: &PgPool) -> anyhow::Result<Value> {
    let sql = "SELECT data FROM tv_order";
    Ok(sqlx::query_scalar(sql).fetch_one(pool).await?)
}

#[tokio::test]
async fn of_equal_values_the_same_one_is_taken_wherever_the_rows_are() -> anyhow::Result<()> {
    let pool = fraiseql_tests::pool().await;
    run(&pool, TABLES).await;
    let model = ReadModel::builder().view::<Order>().build()?;
    model.migrate(&pool).await?;
    model.sync_all(&pool).await?;
    let expected = json!({
        "id": 1,
        "prices": ["1.0", "2"],
        "allPrices": ["1.0", "1.00", "2"],
        "states": ["SENT", "OPEN"],
        "byPrice": [{"price": "1.0", "lines": 2}, {"price": "2", "lines": 1}],
        "byState": [{"state": "SENT", "lines": 1}, {"state": "OPEN", "lines": 2}],
    });
    assert_eq!(stored(&pool).await?, expected);
    for order in [[1, 2, 3], [3, 2, 1], [2, 3, 1], [2, 1, 3]] {
        for id in order {
            // A new version of the row, behind the others.
            let touch = format!("UPDATE tb_line SET state = state WHERE id = {id}");
            sqlx::query(AssertSqlSafe(touch)).execute(&pool).await?;
        }
        assert_eq!(sync_order(&pool, &[1]).await?.unchanged, 1, "{order:?}");
    }
    Ok(())
}
