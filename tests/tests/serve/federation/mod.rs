//! Tests of views as entities of a subgraph of Apollo Federation 2.

mod entities;
mod gateway;
mod limits;
mod malformed;
mod merged;
mod sdl;
mod tenants;

use async_graphql::{EmptyMutation, EmptySubscription, Request, Response, Schema, Variables};
use fraiseql_graphql::{Federated, Prepared, Query};
use fraiseql_runtime::{Embed, GlobalId, ReadModel, TView};
use serde_json::Value;
use sqlx::PgPool;

const TABLES: &str = "
CREATE TABLE tb_maker (id int4 PRIMARY KEY, name text NOT NULL);
CREATE TABLE tb_product (id int8 PRIMARY KEY, name text NOT NULL, maker_id int4);
CREATE TABLE tb_line (order_id int4, product text, quantity int4 NOT NULL, PRIMARY KEY (order_id, product));
CREATE TABLE tb_ticket (org_id int4, no int4, title text NOT NULL, PRIMARY KEY (org_id, no));
INSERT INTO tb_maker VALUES (1, 'Acme');
INSERT INTO tb_product SELECT n, 'Product ' || n, nullif(n % 2, 0) FROM generate_series(1, 200) AS n;
INSERT INTO tb_line SELECT o, 'p' || p, o * p FROM generate_series(1, 3) AS o, generate_series(1, 3) AS p;
INSERT INTO tb_ticket SELECT o, n, o || '/' || n FROM generate_series(1, 2) AS o, generate_series(1, 3) AS n;
";

/// What is sold.
#[derive(Debug, TView)]
#[allow(dead_code)]
pub(crate) struct Product {
    id: i64,
    #[tview(filter, sort)]
    name: String,
    #[tview(one(fk = "maker_id"))]
    maker: Option<Maker>,
}

#[derive(Debug, Embed)]
#[tview(table = "tb_maker")]
#[allow(dead_code)]
struct Maker {
    id: i32,
    name: String,
}

#[derive(Debug, TView)]
#[allow(dead_code)]
pub(crate) struct Line {
    #[tview(key)]
    order_id: i32,
    #[tview(key)]
    product: String,
    quantity: i32,
}

#[derive(Debug, TView)]
#[allow(dead_code)]
pub(crate) struct Ticket {
    #[tview(key, tenant)]
    org_id: i32,
    #[tview(key)]
    no: i32,
    #[tview(global_id)]
    id: GlobalId,
    title: String,
}

type Set = (Product, Line, Ticket);
type Served = Schema<Federated<Query<Set>>, EmptyMutation, EmptySubscription>;

/// The tenant of a request.
struct Org(i32);

async fn world() -> PgPool {
    let pool = fraiseql_tests::pool().await;
    fraiseql_tests::run(&pool, TABLES).await;
    let model = ReadModel::builder().view::<Product>().view::<Line>();
    let model = model.view::<Ticket>().build().unwrap();
    model.migrate(&pool).await.unwrap();
    model.sync_all(&pool).await.unwrap();
    pool
}

async fn served() -> (Served, PgPool) {
    let pool = world().await;
    let query = Query::<Set>::scoped(pool.clone(), |ctx| ctx.data::<Org>().map(|org| org.0));
    (schema(query.federation(), Prepared::default()), pool)
}

fn schema(query: Federated<Query<Set>>, prepared: Prepared) -> Served {
    Schema::build(query, EmptyMutation, EmptySubscription)
        .extension(prepared)
        .finish()
}

const ENTITIES: &str = "query ($r: [_Any!]!) { _entities(representations: $r) {
    __typename
    ... on Product { name }
    ... on Line { quantity }
    ... on Ticket { title }
} }";

/// A request as a router sends it, of the first tenant.
fn request(representations: Value) -> Request {
    Request::new(ENTITIES)
        .variables(Variables::from_json(Value::from_iter([(
            "r",
            representations,
        )])))
        .data(Org(1))
}

/// The entities, and the errors with their paths.
fn read(response: Response) -> (Value, Vec<(String, Value)>) {
    let json = serde_json::to_string(&response).unwrap();
    let errors = response.errors.into_iter().map(|error| {
        let path = serde_json::to_value(&error.path).unwrap();
        (error.message, path)
    });
    let errors = errors.collect();
    let json: Value = serde_json::from_str(&json).unwrap();
    (json["data"]["_entities"].clone(), errors)
}
