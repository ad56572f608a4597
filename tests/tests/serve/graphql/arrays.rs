//! Tests of filters by the values of lists: `contains` and `hasAny`.

use async_graphql::{EmptyMutation, EmptySubscription, Request, Schema, Variables};
use fraiseql_graphql::{Prepared, Query};
use fraiseql_runtime::{TEnum, TView};
use fraiseql_tests::{pool, run, world};
use serde_json::{Value, json};

const TABLES: &str = "
    CREATE TABLE tb_item (id int8 PRIMARY KEY, tags text[] NOT NULL, states text[], sizes int8[] NOT NULL);
    INSERT INTO tb_item VALUES
        (1, '{rust,sql}', '{OPEN}', '{1,9007199254740993}'), (2, '{sql}', NULL, '{}'),
        (3, '{rust,graphql}', '{OPEN,DONE}', '{2}'), (4, '{}', '{}', '{1,2}');";

#[derive(Clone, Copy, Debug, TEnum)]
enum State {
    Open,
    Done,
}

#[derive(TView)]
#[allow(dead_code)]
struct Item {
    id: i64,
    #[tview(filter)]
    tags: Vec<String>,
    #[tview(filter)]
    states: Option<Vec<State>>,
    #[tview(filter)]
    sizes: Vec<i64>,
}

type Served = Schema<Query<(Item,)>, EmptyMutation, EmptySubscription>;

async fn served() -> Served {
    let pool = pool().await;
    run(&pool, TABLES).await;
    world::model::<Item>().migrate(&pool).await.unwrap();
    sync_all_items(&pool).await.unwrap();
    Schema::build(Query::new(pool), EmptyMutation, EmptySubscription)
        .extension(Prepared::default())
        .finish()
}

/// The keys of the items that a literal finds, and that the same value in a variable does.
async fn found(schema: &Served, literal: &str, value: Value) -> Vec<i64> {
    let by_literal = Request::new(format!("{{ items(where: {literal}) {{ id }} }}"));
    let by_variable = Request::new("query ($w: ItemWhere) { items(where: $w) { id } }")
        .variables(Variables::from_json(json!({"w": value})));
    let mut ids = Vec::new();
    for request in [by_literal, by_variable] {
        let response = schema.execute(request).await;
        assert_eq!(response.errors, [], "{literal}");
        let data = serde_json::to_value(&response.data).unwrap();
        let items = data["items"].as_array().unwrap().iter();
        ids.push(items.map(|item| item["id"].as_i64().unwrap()).collect());
    }
    let [first, second]: [Vec<i64>; 2] = ids.try_into().unwrap();
    assert_eq!(first, second, "{literal}");
    first
}

#[tokio::test]
async fn documents_are_found_by_the_values_of_their_lists() {
    let schema = served().await;
    for (literal, value, expected) in [
        (
            "{tags: {contains: [\"rust\", \"sql\"]}}",
            json!({"tags": {"contains": ["rust", "sql"]}}),
            vec![1],
        ),
        (
            "{tags: {hasAny: [\"graphql\", \"sql\"]}}",
            json!({"tags": {"hasAny": ["graphql", "sql"]}}),
            vec![1, 2, 3],
        ),
        (
            "{tags: {contains: [\"rust\"], hasAny: [\"graphql\", \"c\"]}}",
            json!({"tags": {"contains": ["rust"], "hasAny": ["graphql", "c"]}}),
            vec![3],
        ),
        (
            "{not: {tags: {hasAny: [\"rust\"]}}}",
            json!({"not": {"tags": {"hasAny": ["rust"]}}}),
            vec![2, 4],
        ),
        (
            "{states: {contains: [OPEN]}}",
            json!({"states": {"contains": ["OPEN"]}}),
            vec![1, 3],
        ),
        (
            "{not: {states: {hasAny: [DONE]}}}",
            json!({"not": {"states": {"hasAny": ["DONE"]}}}),
            vec![1, 4],
        ),
        (
            "{sizes: {hasAny: [2, \"9007199254740993\"]}}",
            json!({"sizes": {"hasAny": [2, "9007199254740993"]}}),
            vec![1, 3, 4],
        ),
        // A single value is a list of one.
        (
            "{tags: {contains: \"sql\"}, states: {hasAny: OPEN}}",
            json!({"tags": {"contains": "sql"}, "states": {"hasAny": "OPEN"}}),
            vec![1],
        ),
        (
            "{tags: {eq: \"sql\"}}",
            json!({"tags": {"eq": "sql"}}),
            vec![2],
        ),
        (
            "{tags: {contains: []}}",
            json!({"tags": {"contains": []}}),
            vec![1, 2, 3, 4],
        ),
    ] {
        assert_eq!(found(&schema, literal, value).await, expected, "{literal}");
    }
}

#[tokio::test]
async fn the_operators_of_lists_are_in_the_schema() {
    let schema = served().await;
    let sdl = schema.sdl();
    for filter in [
        "input StringListFilter {\n\teq: [String!]\n\tne: [String!]\n\tcontains: [String!]\n\thasAny: [String!]\n\t\
         isNull: Boolean\n}",
        "input StateListFilter {\n\teq: [State!]\n\tne: [State!]\n\tcontains: [State!]\n\thasAny: [State!]\n\t\
         isNull: Boolean\n}",
    ] {
        assert!(sdl.contains(filter), "{sdl}");
    }
    for (literal, expected) in [
        ("{tags: {contains: [1]}}", "expected value of type String"),
        ("{tags: {in: [\"a\"]}}", "in"),
        ("{id: {contains: [1]}}", "contains"),
        ("{tags: {hasAny: [null]}}", "null"),
        ("{tags: {hasAny: null}}", "{hasAny: null} matches no value"),
    ] {
        let query = format!("{{ items(where: {literal}) {{ id }} }}");
        let response = schema.execute(query).await;
        let error = &response.errors[0].message;
        assert!(error.contains(expected), "{literal}: {error}");
    }
}
