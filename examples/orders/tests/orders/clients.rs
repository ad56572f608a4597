//! Sixteen clients that pay, cancel, add items and ship at once, and what must hold meanwhile and
//! afterwards.
//!
//! `ORDERS_OPERATIONS=2000 cargo test -p orders clients` runs ten times as long.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fraiseql_runtime::TView as _;
use orders::OrderError;
use orders::app::App;
use orders::commands::{self, Call, NewItem};
use orders::views::{OrderDetails, OrderStatus};
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use rust_decimal::Decimal;
use sqlx::PgPool;
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::functions::items;
use crate::support::{ADA, BOB, Service, assert_synced};

const CLIENTS: u64 = 16;
/// Of these, the ones that call the functions as psql does.
const DIRECT_CLIENTS: u64 = 4;
const PRODUCTS: u128 = 5;
/// The units of each product: few enough that the stock runs out.
const UNITS: i32 = 150;
/// The newest orders, which all clients work on.
const OPEN_ORDERS: usize = 12;

/// The number of commands by their outcome: `ok`, or the code of the error.
type Outcomes = BTreeMap<(&'static str, String), u64>;

#[derive(Clone)]
struct Client {
    app: App,
    pool: PgPool,
    /// Whether the client calls the functions on a connection of its own, without the service.
    is_direct: bool,
    orders: Arc<Mutex<Vec<Uuid>>>,
}

/// Each command as one of the service, and as a call by SQL.
impl Client {
    async fn create(&self, customer: Uuid, of: &[(Uuid, i32)]) -> Result<(), OrderError> {
        let id = if self.is_direct {
            let call = format!("fn_create_order('{customer}', {}, 'direct')", items(of));
            self.call(&call).await?
        } else {
            let items: Vec<NewItem> = of
                .iter()
                .map(|&(product_id, quantity)| NewItem {
                    product_id,
                    quantity,
                })
                .collect();
            commands::create_order(&self.app, customer, &items, "service").await?
        };
        let mut orders = self.orders.lock().await;
        orders.push(id);
        if orders.len() > OPEN_ORDERS {
            orders.remove(0);
        }
        Ok(())
    }

    async fn call<T>(&self, call: &str) -> Result<T, OrderError>
    where
        T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + Send + Unpin,
    {
        let sql = sqlx::AssertSqlSafe(format!("SELECT {call}"));
        Ok(sqlx::query_scalar(sql).fetch_one(&self.pool).await?)
    }

    /// One random command; `None` if there is no order yet.
    async fn step(&self, rng: &mut SmallRng) -> Option<(&'static str, Result<(), OrderError>)> {
        let product = |rng: &mut SmallRng| Uuid::from_u128(100 + rng.random_range(0..PRODUCTS));
        let kind = rng.random_range(0..20);
        if kind < 4 {
            let of: Vec<(Uuid, i32)> = (0..rng.random_range(1..4))
                .map(|_| (product(rng), rng.random_range(1..4)))
                .collect();
            let customer = *[ADA, BOB].choose(rng)?;
            return Some(("create", self.create(customer, &of).await));
        }
        let order = *self.orders.lock().await.choose(rng)?;
        let details = OrderDetails::find(&self.pool, order).await.unwrap();
        // Of an order that was created directly, the document may come later.
        let (due, version) = details.map_or((Decimal::ONE, 1), |it| (it.due, it.version));
        // Often the version that was read, which may be old by now.
        let expected_version = rng.random_bool(0.5).then_some(version);
        let expected = expected_version.map_or("NULL".to_owned(), |version| version.to_string());
        let call = Call {
            who: "service",
            expected_version,
        };
        let app = &self.app;
        Some(match (kind, self.is_direct) {
            (4..8, false) => {
                let item = NewItem {
                    product_id: product(rng),
                    quantity: rng.random_range(1..4),
                };
                (
                    "add",
                    commands::add_order_item(app, order, item, call)
                        .await
                        .map(drop),
                )
            }
            (4..8, true) => {
                let call = format!(
                    "fn_add_order_item('{order}', '{}', 1, {expected}, 'direct')",
                    product(rng)
                );
                ("add", self.call::<i32>(&call).await.map(drop))
            }
            (8..14, is_direct) => {
                // All of it, or a part.
                let amount = if rng.random_bool(0.6) {
                    due
                } else {
                    Decimal::new(150, 2)
                };
                let paid = if is_direct {
                    let call =
                        format!("fn_process_payment('{order}', {amount}, {expected}, 'direct')");
                    self.call::<i32>(&call).await
                } else {
                    commands::process_payment(app, order, amount, call).await
                };
                ("pay", paid.map(drop))
            }
            (14..16, false) => (
                "cancel",
                commands::cancel_order(app, order, call).await.map(drop),
            ),
            (14..16, true) => {
                let call = format!("fn_cancel_order('{order}', {expected}, 'direct')");
                ("cancel", self.call::<i32>(&call).await.map(drop))
            }
            (_, is_direct) => {
                let status = *[
                    OrderStatus::Shipped,
                    OrderStatus::Shipped,
                    OrderStatus::Delivered,
                ]
                .choose(rng)?;
                let moved = if is_direct {
                    use fraiseql_runtime::TEnum as _;
                    let call = format!(
                        "fn_update_order_status('{order}', '{}', {expected}, 'direct')",
                        status.label()
                    );
                    self.call::<i32>(&call).await
                } else {
                    commands::update_order_status(app, order, status, call).await
                };
                ("move", moved.map(drop))
            }
        })
    }

    async fn run(self, seed: u64, operations: u64) -> Outcomes {
        let mut rng = SmallRng::seed_from_u64(seed);
        let mut outcomes = Outcomes::new();
        for _ in 0..operations {
            let Some((name, result)) = self.step(&mut rng).await else {
                continue;
            };
            let outcome = match result {
                Ok(()) => "ok",
                // Anything else is a fault: a deadlock, a constraint, a lost connection.
                Err(error) => {
                    error
                        .code()
                        .unwrap_or_else(|| panic!("{name}: {error:?}"))
                        .0
                }
            };
            *outcomes.entry((name, outcome.to_owned())).or_default() += 1;
            if rng.random_bool(0.3) {
                tokio::time::sleep(Duration::from_micros(rng.random_range(0..4_000))).await;
            }
        }
        outcomes
    }
}

/// Looks again and again, each time in one snapshot. Returns how often.
async fn sample(pool: PgPool, stop: Arc<AtomicBool>) -> u32 {
    let mut looks = 0;
    while !stop.load(Ordering::Relaxed) {
        let units: Vec<(i32, i32)> = sqlx::query_as(
            "SELECT stock, stock + reserved + sold FROM tb_products WHERE id >= '00000000-0000-0000-0000-000000000064'",
        )
        .fetch_all(&pool)
        .await
        .unwrap();
        for (stock, all) in units {
            assert!(stock >= 0 && all == UNITS, "{stock} of {all}");
        }
        // After a command of the service, the documents of the order are right with its commit.
        let behind: Vec<Uuid> = sqlx::query_scalar(
            "SELECT o.id FROM tb_orders AS o LEFT JOIN tv_order_details AS d ON d.id = o.id
             WHERE (d.data ->> 'version')::int IS DISTINCT FROM o.version
                 AND (SELECT who FROM tb_audit_log WHERE entity = 'order' AND entity_id = o.id
                      ORDER BY id DESC LIMIT 1) = 'service'",
        )
        .fetch_all(&pool)
        .await
        .unwrap();
        assert!(behind.is_empty(), "behind their commands: {behind:?}");
        looks += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    looks
}

/// Runs the clients to their end.
async fn run_clients(app: &App, pool: &PgPool) -> Outcomes {
    let operations =
        std::env::var("ORDERS_OPERATIONS").map_or(200, |number| number.parse().unwrap());
    sqlx::query(
        "INSERT INTO tb_products (id, sku, name, price, stock)
         SELECT lpad(to_hex(99 + i), 32, '0')::uuid, 'P' || i, 'Product ' || i, i * 1.25, $1
         FROM generate_series(1, $2::int) AS i",
    )
    .bind(UNITS)
    .bind(i32::try_from(PRODUCTS).unwrap())
    .execute(pool)
    .await
    .unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let sampler = tokio::spawn(sample(pool.clone(), Arc::clone(&stop)));
    let orders = Arc::new(Mutex::new(Vec::new()));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|seed| {
            let client = Client {
                app: app.clone(),
                pool: pool.clone(),
                is_direct: seed < DIRECT_CLIENTS,
                orders: Arc::clone(&orders),
            };
            tokio::spawn(client.run(seed, operations))
        })
        .collect();
    let mut outcomes = Outcomes::new();
    for client in clients {
        for (outcome, count) in client.await.unwrap() {
            *outcomes.entry(outcome).or_default() += count;
        }
    }
    stop.store(true, Ordering::Relaxed);
    let looks = sampler.await.unwrap();
    println!("{looks} looks; {outcomes:#?}");
    outcomes
}

/// Asserts that each command succeeded, and was refused by each kind of rule.
fn assert_all_happened(outcomes: &Outcomes) {
    for name in ["create", "add", "pay", "cancel", "move"] {
        assert!(outcomes.contains_key(&(name, "ok".to_owned())), "{name}");
    }
    for code in ["CONFLICT", "OUT_OF_STOCK", "WRONG_STATUS", "TOO_MUCH"] {
        assert!(
            outcomes.keys().any(|(_, outcome)| outcome == code),
            "{code}"
        );
    }
}

/// Asserts that units, money and the audit log add up.
async fn assert_adds_up(pool: &PgPool, outcomes: &Outcomes) {
    let ok = outcomes.iter().filter(|((_, outcome), _)| outcome == "ok");
    let succeeded: u64 = ok.map(|(_, count)| count).sum();
    let audited: i64 = sqlx::query_scalar("SELECT count(*) FROM tb_audit_log")
        .fetch_one(pool)
        .await
        .unwrap();
    assert_eq!(u64::try_from(audited).unwrap(), succeeded);
    for (what, sql) in WRONG {
        let sql = format!("SELECT coalesce(array_agg(x), '{{}}') FROM ({sql}) AS wrong (x)");
        let wrong: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .fetch_one(pool)
            .await
            .unwrap();
        assert!(wrong.is_empty(), "{what}: {wrong:?}");
    }
}

/// Each of these selects what does not add up.
const WRONG: [(&str, &str); 6] = [
    (
        "a product whose units are not where its orders say",
        "SELECT p.sku FROM tb_products AS p
         LEFT JOIN (
             SELECT product_id, sum(quantity) FILTER (WHERE status IN ('pending', 'paid')) AS reserved,
                    sum(quantity) FILTER (WHERE status IN ('shipped', 'delivered')) AS sold
             FROM tb_order_items AS i JOIN tb_orders AS o ON o.id = i.order_id GROUP BY product_id
         ) AS i ON i.product_id = p.id
         WHERE p.sku LIKE 'P_' AND (p.stock + p.reserved + p.sold, p.reserved, p.sold)
             IS DISTINCT FROM (150, coalesce(i.reserved, 0), coalesce(i.sold, 0))",
    ),
    (
        "an order whose total is not the sum of its items",
        "SELECT number::text FROM tb_orders AS o
         WHERE total <> (SELECT coalesce(sum(line_total), 0) FROM tb_order_items WHERE order_id = o.id)",
    ),
    (
        "an order whose payments are not what was paid",
        "SELECT number::text FROM tb_orders AS o
         WHERE paid <> (SELECT coalesce(sum(amount), 0) FROM tb_payments WHERE order_id = o.id)",
    ),
    (
        "an order that is paid by more or less than its total",
        "SELECT number::text FROM tb_orders
         WHERE status IN ('paid', 'shipped', 'delivered') AND paid <> total",
    ),
    (
        "a cancelled order with money",
        "SELECT number::text FROM tb_orders WHERE status = 'cancelled' AND paid <> 0",
    ),
    (
        "an order with more or fewer commands than its version",
        "SELECT number::text FROM tb_orders AS o
         WHERE version <> (SELECT count(*) FROM tb_audit_log WHERE entity_id = o.id)",
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn units_and_money_add_up_after_sixteen_clients() {
    let service = Service::start().await;
    let outcomes = run_clients(&service.app, &service.pool).await;
    assert_all_happened(&outcomes);
    assert_adds_up(&service.pool, &outcomes).await;
    // The worker has what the direct clients changed; then every document is right.
    let (pool, model) = (service.pool.clone(), service.app.orders.clone());
    service.background.close().await.unwrap();
    assert_eq!(model.changes(&pool).await.unwrap().pending, 0);
    assert_synced(&model, &pool).await;

    // Commands take their locks in one order. A session reports its deadlocks at its end.
    let database = (*pool.connect_options()).clone();
    pool.close().await;
    let look = PgPool::connect_with(database).await.unwrap();
    let deadlocks: i64 = sqlx::query_scalar(
        "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()",
    )
    .fetch_one(&look)
    .await
    .unwrap();
    assert_eq!(deadlocks, 0);
}
