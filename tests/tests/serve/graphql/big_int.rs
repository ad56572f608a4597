//! Integers of 64 bits are `BigInt`, which keeps all of their digits.

use async_graphql::{EmptyMutation, EmptySubscription, Object, Request, Schema, Variables};
use axum::http::StatusCode;
use fraiseql_graphql::http::GraphQl;
use fraiseql_graphql::{Prepared, TvDoc, TvExtended, Views};
use fraiseql_runtime::{Embed, TScalar, TView};
use fraiseql_tests::{pool, run, world};
use serde_json::{Value, json};
use sqlx::PgPool;
use tower_service::Service as _;

const BIG: i64 = 9_007_199_254_740_993;

#[derive(Debug, Clone, Copy, PartialEq, Eq, TScalar)]
struct Money(i64);

#[derive(Debug, TView)]
#[allow(dead_code)]
struct Account {
    id: i64,
    #[tview(sort)]
    amount: i64,
    #[tview(filter)]
    money: Option<Money>,
    small: i32,
    tiny: i16,
    history: Vec<i64>,
    gaps: Vec<Option<i64>>,
    #[tview(one(fk = "parent_id"))]
    parent: Option<Parent>,
    #[tview(many(fk = "parent_id"))]
    children: Vec<Parent>,
    #[tview(count(table = "tb_account", fk = "parent_id"), sort)]
    child_count: i64,
    #[tview(sum(table = "tb_account", fk = "parent_id", expr = "{}.small"))]
    total: Option<i64>,
}

#[derive(Debug, Embed)]
#[tview(table = "tb_account")]
#[allow(dead_code)]
struct Parent {
    id: i64,
    amount: i64,
}

#[derive(Debug, Embed)]
#[tview(table = "tb_account", shape_of = Account)]
struct Doubled {
    amount: i64,
}

#[Object]
impl Doubled {
    async fn twice(&self) -> String {
        (i128::from(self.amount) * 2).to_string()
    }
}

struct Own;

#[Object]
impl Own {
    async fn own(
        &self,
        ctx: &async_graphql::Context<'_>,
    ) -> async_graphql::Result<Option<TvDoc<Account>>> {
        Ok(TvDoc::find(ctx.data::<PgPool>()?, BIG).await?)
    }
}

#[derive(async_graphql::MergedObject)]
struct Query(Views<(Account,)>, Own);

type Served = Schema<Query, EmptyMutation, EmptySubscription>;

async fn accounts() -> PgPool {
    let pool = pool().await;
    run(
        &pool,
        "CREATE TABLE tb_account (id int8 PRIMARY KEY, parent_id int8 REFERENCES tb_account,
             amount int8 NOT NULL, money int8, small int4 NOT NULL, tiny int2 NOT NULL,
             history int8[] NOT NULL, gaps int8[] NOT NULL);
         CREATE INDEX ON tb_account (parent_id);
         INSERT INTO tb_account VALUES
             (9007199254740993, NULL, -9007199254740995, 7, 1, 2, '{9007199254740993,-1}', '{1,NULL}'),
             (2, 9007199254740993, 9223372036854775807, NULL, 3, 4, '{}', '{}')",
    )
    .await;
    world::model::<Account>().migrate(&pool).await.unwrap();
    sync_all_accounts(&pool)
        .await
        .unwrap()
        .ensure_valid()
        .unwrap();
    pool
}

fn schema(pool: &PgPool, strings: bool) -> Served {
    let prepared = Prepared::default().validate_once(true).direct(true);
    Schema::build(
        Query(Views::new(pool.clone()), Own),
        EmptyMutation,
        EmptySubscription,
    )
    .register_output_type::<TvExtended<Account, Doubled>>()
    .extension(prepared.big_ints_as_strings(strings))
    .data(pool.clone())
    .finish()
}

async fn text(endpoint: &mut GraphQl<Served>, query: &str) -> String {
    let request = axum::http::Request::post("/").header("content-type", "application/json");
    let body = json!({"query": query}).to_string();
    let answer = endpoint.call(request.body(body).unwrap()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let body = axum::body::to_bytes(answer.into_body(), 1 << 20)
        .await
        .unwrap();
    String::from_utf8(body.into()).unwrap()
}

#[tokio::test]
async fn the_type_is_big_int_and_int_for_smaller_integers() {
    let sdl = schema(&accounts().await, false).sdl();
    for part in [
        "scalar BigInt",
        "account(id: BigInt!): Account",
        "id: BigInt!",
        "money: BigInt\n",
        "small: Int!",
        "tiny: Int!",
        "history: [BigInt!]!",
        "gaps: [BigInt]!",
        "childCount: BigInt!",
        "total: BigInt\n",
        "amount: BigIntFilter",
        "in: [BigInt!]",
    ] {
        assert!(sdl.contains(part), "{part}: {sdl}");
    }
}

#[tokio::test]
async fn all_digits_are_sent_as_a_number_or_as_a_string() {
    let pool = accounts().await;
    let cases = [
        (
            "{ account(id: 9007199254740993) { id amount money small tiny history gaps childCount total } }",
            r#"{"data":{"account":{"id":9007199254740993,"amount":-9007199254740995,"money":7,"small":1,"tiny":2,"history":[9007199254740993, -1],"gaps":[1, null],"childCount":1,"total":3}}}"#,
            r#"{"data":{"account":{"id":"9007199254740993","amount":"-9007199254740995","money":"7","small":1,"tiny":2,"history":["9007199254740993","-1"],"gaps":["1",null],"childCount":"1","total":"3"}}}"#,
        ),
        (
            "{ accounts { total money id a: id } }",
            r#"{"data":{"accounts":[{"total":null,"money":null,"id":2,"a":2},{"total":3,"money":7,"id":9007199254740993,"a":9007199254740993}]}}"#,
            r#"{"data":{"accounts":[{"total":null,"money":null,"id":"2","a":"2"},{"total":"3","money":"7","id":"9007199254740993","a":"9007199254740993"}]}}"#,
        ),
        (
            "{ accountsConnection(first: 1) { nodes { id } edges { node { children { id } parent { amount id } } } } }",
            r#"{"data":{"accountsConnection":{"nodes":[{"id":2}],"edges":[{"node":{"children":[],"parent":{"amount":-9007199254740995,"id":9007199254740993}}}]}}}"#,
            r#"{"data":{"accountsConnection":{"nodes":[{"id":"2"}],"edges":[{"node":{"children":[],"parent":{"amount":"-9007199254740995","id":"9007199254740993"}}}]}}}"#,
        ),
        (
            "{ own { children { amount } twice amount } }",
            r#"{"data":{"own":{"children":[{"amount":9223372036854775807}],"twice":"-18014398509481990","amount":-9007199254740995}}}"#,
            r#"{"data":{"own":{"children":[{"amount":"9223372036854775807"}],"twice":"-18014398509481990","amount":"-9007199254740995"}}}"#,
        ),
    ];
    let mut numbers = GraphQl::new(schema(&pool, false));
    let mut strings = GraphQl::new(schema(&pool, true));
    for (query, as_numbers, as_strings) in cases {
        // The second time, the answer may be a direct one.
        for _ in 0..2 {
            assert_eq!(text(&mut numbers, query).await, as_numbers, "{query}");
            assert_eq!(text(&mut strings, query).await, as_strings, "{query}");
        }
    }
}

#[tokio::test]
async fn both_forms_are_read_in_arguments_and_variables() {
    let pool = accounts().await;
    let schema = schema(&pool, true);
    let found = json!({"data": {"accounts": [{"id": "9007199254740993"}]}});
    for value in ["9007199254740993", "\"9007199254740993\""] {
        for filter in [
            format!("id: {{eq: {value}}}"),
            format!("id: {{in: [{value}, 5]}}"),
            "amount: {lte: -9007199254740995}".to_owned(),
            "amount: {lt: \"-9007199254740994\"}".to_owned(),
            "money: {eq: 7}".to_owned(),
        ] {
            let query = format!("{{ accounts(where: {{{filter}}}) {{ id }} }}");
            let answer = schema.execute(&query).await;
            assert_eq!(serde_json::to_value(&answer).unwrap(), found, "{query}");
        }
        let query = "query ($id: BigInt!) { account(id: $id) { id } }";
        let value: Value = serde_json::from_str(value).unwrap();
        let variables = Variables::from_json(json!({"id": value}));
        let answer = schema
            .execute(Request::new(query).variables(variables))
            .await;
        let answer = serde_json::to_value(&answer).unwrap();
        assert_eq!(
            answer["data"]["account"]["id"], "9007199254740993",
            "{value}: {answer}"
        );
    }
    for wrong in [
        "1.5",
        "\"x\"",
        "true",
        "9223372036854775808",
        "\"9223372036854775808\"",
    ] {
        let query = format!("{{ account(id: {wrong}) {{ id }} }}");
        let answer = schema.execute(&query).await;
        assert_eq!(answer.errors.len(), 1, "{query}: {answer:?}");
        assert!(
            answer.errors[0].message.contains("a whole number"),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn pages_go_on_at_a_large_value() {
    let pool = accounts().await;
    for strings in [false, true] {
        let schema = schema(&pool, strings);
        let mut after = Value::Null;
        let mut ids = Vec::new();
        for _ in 0..2 {
            let query = "query ($after: String) {
                accountsConnection(first: 1, after: $after, orderBy: [{amount: DESC}]) {
                    nodes { id } pageInfo { endCursor }
                }
            }";
            let variables = Variables::from_json(json!({"after": after}));
            let answer = schema
                .execute(Request::new(query).variables(variables))
                .await;
            let answer = serde_json::to_value(&answer).unwrap();
            let page = &answer["data"]["accountsConnection"];
            ids.push(page["nodes"][0]["id"].to_string().replace('"', ""));
            after = page["pageInfo"]["endCursor"].clone();
        }
        assert_eq!(ids, ["2", "9007199254740993"]);
    }
}
