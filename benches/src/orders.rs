//! The order service: its queries, commands and syncs, beside the times that its first description states.

use std::time::Instant;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use fraiseql_runtime::list::OrderBy;
use fraiseql_runtime::{Embed, ReadModel, TView};
use orders_example::app::{App, Settings};
use orders_example::commands::{self, Call, NewItem};
use orders_example::views::{
    CustomerOrders, OrderDetails, OrderSummary, ProductInventory, RevenueByProduct,
    sync_order_summary,
};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::measure::{Times, millis};

/// Options of `orders`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Number of orders, with three items each. There are a tenth as many customers, and 1,000 products.
    #[arg(long, default_value_t = 20_000)]
    orders: i32,
    /// Measured calls of each operation.
    #[arg(long, default_value_t = 200)]
    calls: usize,
}

/// Calls before the time counts.
const WARM_UP: usize = 20;

const WHO: Call<'static> = Call {
    who: "bench",
    expected_version: None,
};

/// The summaries of orders in a materialized view, to compare a refresh with the sync of a row.
#[derive(TView)]
#[tview(
    table = "tb_orders",
    storage = "matview",
    entity = "refreshed_summary",
    plural = "refreshed_summaries"
)]
#[allow(dead_code)]
struct RefreshedSummary {
    id: Uuid,
    number: i64,
    status: String,
    total: Decimal,
    #[tview(count(table = "tb_order_items", fk = "order_id"))]
    item_count: i64,
    #[tview(one(fk = "customer_id"))]
    customer: Customer,
    placed_at: DateTime<Utc>,
    version: i32,
}

#[derive(Embed)]
#[tview(table = "tb_customers")]
#[allow(dead_code)]
struct Customer {
    id: Uuid,
    name: String,
}

pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    let server = dev_postgres::Server::builder()
        .setting("shared_buffers", "1GB")
        .setting("fsync", "on")
        .setting("jit", "off")
        .start()?;
    let database = server.create_database().await?;
    let settings = Settings {
        database,
        replicas: Vec::new(),
        connections: 4,
        sample_orders: 0,
    };
    let (app, background) = App::open(settings).await?;
    eprintln!("loading {} orders", options.orders);
    load(&app, options.orders).await?;
    println!(
        "{}, {} cores, fsync on; {} orders; medians of {} calls by Rust, with the round trips.\n",
        server.description(),
        std::thread::available_parallelism().map_or(0, usize::from),
        options.orders,
        options.calls
    );
    println!("| operation | stated | here |");
    println!("|---|---:|---:|");
    queries(&app, &options).await?;
    command_times(&app, &options).await?;
    syncs(&app, &options).await?;
    background.close().await?;
    Ok(())
}

/// Rows by plain SQL; the documents are those that a worker makes of them.
async fn load(app: &App, orders: i32) -> anyhow::Result<()> {
    let statements = [
        "INSERT INTO tb_customers (id, email, name)
         SELECT lpad(to_hex(n), 32, '0')::uuid, 'customer' || n || '@example.com', 'Customer ' || n
         FROM generate_series(1, greatest($1 / 10, 1)) AS n",
        "INSERT INTO tb_products (id, sku, name, price, stock)
         SELECT lpad(to_hex(n), 32, '0')::uuid, 'SKU-' || lpad(n::text, 5, '0'), 'Product ' || n, n / 10.0, 1000000
         FROM generate_series(1, 1000) AS n WHERE $1 > 0",
        "INSERT INTO tb_orders (id, customer_id, status, total, paid)
         SELECT lpad(to_hex(n), 32, '0')::uuid,
             lpad(to_hex(1 + n % greatest($1 / 10, 1)), 32, '0')::uuid, 'paid', 0, 0
         FROM generate_series(1, $1) AS n",
        "INSERT INTO tb_order_items (order_id, product_id, sku, name, quantity, unit_price)
         SELECT o.id, p.id, p.sku, p.name, 2, p.price
         FROM tb_orders AS o, generate_series(0, 2) AS i, tb_products AS p
         WHERE p.id = lpad(to_hex(1 + (o.number * 7 + i * 331) % 1000), 32, '0')::uuid AND $1 > 0",
        "UPDATE tb_orders AS o SET total = s.total, paid = s.total
         FROM (SELECT order_id, sum(line_total) AS total FROM tb_order_items WHERE $1 > 0 GROUP BY order_id) AS s
         WHERE s.order_id = o.id",
        "INSERT INTO tb_payments (order_id, kind, amount)
         SELECT id, 'payment', paid FROM tb_orders WHERE paid > 0 AND $1 > 0",
    ];
    for statement in statements {
        sqlx::query(statement)
            .bind(orders)
            .execute(&app.commands)
            .await?;
    }
    app.orders.worker(&app.commands).drain().await?;
    app.orders
        .refresh::<RevenueByProduct>(&app.commands)
        .await?;
    sqlx::raw_sql("VACUUM ANALYZE")
        .execute(&app.commands)
        .await?;
    Ok(())
}

fn row(operation: &str, stated: &str, times: &Times) {
    println!("| {operation} | {stated} | {} |", millis(times.median()));
}

/// Times calls; the warm-up does not count.
async fn times<T>(
    options: &Options,
    mut call: impl AsyncFnMut(usize) -> anyhow::Result<T>,
) -> anyhow::Result<Times> {
    let mut times = Times::default();
    for turn in 0..WARM_UP + options.calls {
        let start = Instant::now();
        call(turn).await?;
        if turn >= WARM_UP {
            times.push(start.elapsed());
        }
    }
    Ok(times)
}

async fn queries(app: &App, options: &Options) -> anyhow::Result<()> {
    let product = async |turn: usize| {
        let id = Uuid::from_u128(1 + turn as u128 % 1000);
        let found = ProductInventory::find_json(&app.queries, id).await?;
        found.context("a product has a document")
    };
    row(
        "one flat document by key",
        "0.55 ms, a user",
        &times(options, product).await?,
    );
    let products = |limit| {
        ProductInventory::list()
            .order_by(OrderBy::asc("sku"))
            .limit(limit)
    };
    let page = times(options, async |_| {
        anyhow::Ok(products(20).read(&app.queries).await?)
    })
    .await?;
    row("a list of 20", "1.1 ms", &page);
    let summaries = OrderSummary::list()
        .order_by(OrderBy::desc("placedAt"))
        .limit(20);
    let page = times(options, async |_| {
        anyhow::Ok(summaries.read(&app.queries).await?)
    })
    .await?;
    row("`ordersSummary`, 20 orders", "2 ms", &page);
    let customers = u128::try_from((options.orders / 10).max(1))?;
    let history = times(options, async |turn| {
        let id = Uuid::from_u128(1 + turn as u128 % customers);
        let found = CustomerOrders::find_json(&app.queries, id).await?;
        found.context("a customer has a document")
    });
    row("`customerOrders`, the latest ten", "8 ms", &history.await?);
    let page = times(options, async |_| {
        anyhow::Ok(products(100).read(&app.queries).await?)
    })
    .await?;
    row("`productInventory`, 100 products", "5 ms", &page);
    let revenue = RevenueByProduct::list()
        .order_by(OrderBy::desc("revenue"))
        .limit(20);
    let page = times(options, async |_| {
        anyhow::Ok(revenue.read(&app.queries).await?)
    })
    .await?;
    row("`revenueByProduct`, the first 20", "50 ms", &page);
    Ok(())
}

/// Each order is created, half of them paid in full, and cancelled.
async fn command_times(app: &App, options: &Options) -> anyhow::Result<()> {
    let [mut created, mut paid, mut cancelled] = std::array::from_fn(|_| Times::default());
    for turn in 0..WARM_UP + options.calls {
        let seed = turn as u128;
        let items = [seed * 13, seed * 29 + 7].map(|product| NewItem {
            product_id: Uuid::from_u128(1 + product % 1000),
            quantity: 1,
        });
        let customer = Uuid::from_u128(1 + seed % 10);
        let start = Instant::now();
        let id = commands::create_order(app, customer, &items, WHO.who).await?;
        let create = start.elapsed();
        let due = OrderDetails::find(&app.commands, id)
            .await?
            .context("an order that was created has a document")?
            .due;
        let start = Instant::now();
        commands::process_payment(app, id, due, WHO).await?;
        let pay = start.elapsed();
        let start = Instant::now();
        commands::cancel_order(app, id, WHO).await?;
        let cancel = start.elapsed();
        if turn >= WARM_UP {
            created.push(create);
            paid.push(pay);
            cancelled.push(cancel);
        }
    }
    row("create an order of two items", "25 ms", &created);
    row("pay it", "35 ms", &paid);
    row("cancel it, with a refund", "40 ms", &cancelled);
    Ok(())
}

async fn syncs(app: &App, options: &Options) -> anyhow::Result<()> {
    let orders = u128::try_from(options.orders)?;
    let keys = |turn: usize, count: u128| -> Vec<Uuid> {
        let first = turn as u128 * count;
        let keys = (first..first + count).map(|n| Uuid::from_u128(1 + n % orders));
        keys.collect()
    };
    // What no worker and no mutation has synced: the triggers do not see these changes.
    let change = "BEGIN; SET LOCAL session_replication_role = replica;
        UPDATE tb_orders SET version = version + 1; COMMIT";
    sqlx::raw_sql(change).execute(&app.commands).await?;
    let one = times(options, async |turn| {
        Ok(sync_order_summary(&app.commands, &keys(turn, 1)).await?)
    });
    let one = one.await?;
    row("sync one changed document", "5 ms", &one);
    sqlx::raw_sql(change).execute(&app.commands).await?;
    let batch = times(options, async |turn| {
        Ok(sync_order_summary(&app.commands, &keys(turn, 100)).await?)
    });
    row("sync 100 documents", "50 ms", &batch.await?);
    let refreshed = ReadModel::builder().view::<RefreshedSummary>().build()?;
    refreshed.migrate(&app.commands).await?;
    let mut refreshes = Times::default();
    for _ in 0..5 {
        sqlx::raw_sql("UPDATE tb_orders SET version = version + 1 WHERE number = 1")
            .execute(&app.commands)
            .await?;
        refreshes.push(
            refreshed
                .refresh::<RefreshedSummary>(&app.commands)
                .await?
                .duration,
        );
    }
    row(
        "refresh all summaries as a materialized view",
        "",
        &refreshes,
    );
    println!(
        "| the refresh, of the sync of one row | 5,000 times | {:.0} times |",
        refreshes.median() / one.median()
    );
    Ok(())
}
