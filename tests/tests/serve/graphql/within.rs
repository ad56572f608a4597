//! Tests of filters by what is within documents: `search`, `some`, `is`, `contains` and `at`.

use async_graphql::{EmptyMutation, EmptySubscription, Request, Schema, Variables};
use fraiseql_graphql::{Prepared, Query};
use fraiseql_runtime::{Embed, TEnum, TView};
use fraiseql_tests::{pool, run, world};
use serde_json::{Value, json};

const TABLES: &str = r#"
    CREATE TABLE tb_person (id uuid PRIMARY KEY, name text);
    CREATE TABLE tb_product (id int8 PRIMARY KEY, title text NOT NULL, maker_id uuid, attributes jsonb NOT NULL);
    CREATE TABLE tb_review (
        id int8 PRIMARY KEY, product_id int8 NOT NULL, author_id uuid NOT NULL, stars int4, state text NOT NULL,
        tags text[] NOT NULL, meta jsonb);
    INSERT INTO tb_person SELECT lpad(n::text, 32, '0')::uuid, (ARRAY['Ann', 'Ben'])[n] FROM generate_series(1, 3) AS n;
    INSERT INTO tb_product VALUES
        (1, 'Running shoes', lpad('1', 32, '0')::uuid, '{"color": "red", "size": {"width": 30}}'),
        (2, 'A shoe for the rain', lpad('2', 32, '0')::uuid, '{"color": ["red", "blue"], "size": {"width": 12}}'),
        (3, 'Umbrella', lpad('3', 32, '0')::uuid, '{"color": "blue"}'),
        (4, 'Rain coat', NULL, '{}');
    INSERT INTO tb_review VALUES
        (1, 1, lpad('1', 32, '0')::uuid, 5, 'PUBLIC', '{fit}', '{"helpful": 3}'),
        (2, 1, lpad('2', 32, '0')::uuid, 2, 'HIDDEN', '{}', NULL),
        (3, 2, lpad('1', 32, '0')::uuid, 2, 'PUBLIC', '{fit,"dry feet"}', '{"helpful": 0}'),
        (4, 3, lpad('2', 32, '0')::uuid, NULL, 'PUBLIC', '{}', '{}');
"#;

#[derive(Clone, Copy, Debug, TEnum)]
enum Visibility {
    Public,
    Hidden,
}

#[derive(Embed)]
#[tview(table = "tb_person")]
#[allow(dead_code)]
struct Person {
    id: uuid::Uuid,
    name: Option<String>,
}

#[derive(Embed)]
#[tview(table = "tb_review")]
#[allow(dead_code)]
struct Review {
    id: i64,
    stars: Option<i32>,
    state: Visibility,
    tags: Vec<String>,
    meta: Option<Value>,
    #[tview(one(fk = "author_id"))]
    author: Person,
}

#[derive(TView)]
#[tview(index(gin), index(fulltext = "title", language = "english"))]
#[allow(dead_code)]
struct Product {
    id: i64,
    #[tview(sort)]
    title: String,
    #[tview(one(fk = "maker_id"))]
    maker: Option<Person>,
    #[tview(many(fk = "product_id"))]
    reviews: Vec<Review>,
    attributes: Value,
}

type Served = Schema<Query<(Product,)>, EmptyMutation, EmptySubscription>;

async fn served() -> Served {
    let pool = pool().await;
    run(&pool, TABLES).await;
    world::model::<Product>().migrate(&pool).await.unwrap();
    sync_all_products(&pool).await.unwrap();
    Schema::build(Query::new(pool), EmptyMutation, EmptySubscription)
        .extension(Prepared::default().direct(true))
        .finish()
}

async fn answer(schema: &Served, request: Request) -> Value {
    serde_json::to_value(schema.execute(request).await).unwrap()
}

/// The keys of the products that a literal finds, and that the same value in a variable does, also from a plan.
async fn found(schema: &Served, literal: &str, value: Value) -> Vec<i64> {
    let by_literal = format!("{{ products(where: {literal}) {{ id }} }}");
    let by_variable = "query ($w: ProductWhere) { products(where: $w) { id } }";
    let mut all = Vec::new();
    for _ in 0..2 {
        for request in [
            Request::new(&by_literal),
            Request::new(by_variable).variables(Variables::from_json(json!({"w": value}))),
        ] {
            let answer = answer(schema, request).await;
            assert_eq!(answer["errors"], Value::Null, "{literal}: {answer}");
            let items = answer["data"]["products"].as_array().unwrap().iter();
            let ids: Vec<i64> = items.map(|item| item["id"].as_i64().unwrap()).collect();
            all.push(ids);
        }
    }
    all.dedup();
    assert_eq!(all.len(), 1, "{literal}: {all:?}");
    all.remove(0)
}

#[tokio::test]
async fn documents_are_found_by_what_is_within_them() {
    let schema = served().await;
    let ann = "00000000-0000-0000-0000-000000000001";
    for (literal, value, expected) in [
        ("{search: \"shoe\"}".to_owned(), json!({"search": "shoe"}), vec![1, 2]),
        (
            "{search: \"rain -shoes\", attributes: {isNull: false}}".to_owned(),
            json!({"search": "rain -shoes", "attributes": {"isNull": false}}),
            vec![4],
        ),
        (
            format!("{{reviews: {{some: {{author: {{is: {{id: {{eq: \"{ann}\"}}}}}}, stars: {{lt: 5}}}}}}}}"),
            json!({"reviews": {"some": {"author": {"is": {"id": {"eq": ann}}}, "stars": {"lt": 5}}}}),
            vec![2],
        ),
        // Not of one and the same review.
        (
            "{and: [{reviews: {some: {stars: {eq: 5}}}}, {reviews: {some: {state: {eq: HIDDEN}}}}]}".to_owned(),
            json!({"and": [{"reviews": {"some": {"stars": {"eq": 5}}}}, {"reviews": {"some": {"state": {"eq": "HIDDEN"}}}}]}),
            vec![1],
        ),
        (
            "{reviews: {some: {stars: {eq: 5}, state: {eq: HIDDEN}}}}".to_owned(),
            json!({"reviews": {"some": {"stars": {"eq": 5}, "state": {"eq": "HIDDEN"}}}}),
            vec![],
        ),
        (
            "{not: {reviews: {some: {tags: {contains: \"fit\"}}}}}".to_owned(),
            json!({"not": {"reviews": {"some": {"tags": {"contains": "fit"}}}}}),
            vec![3, 4],
        ),
        (
            "{reviews: {some: {or: [{stars: {isNull: true}}, {tags: {hasAny: [\"dry feet\"]}}]}}}".to_owned(),
            json!({"reviews": {"some": {"or": [{"stars": {"isNull": true}}, {"tags": {"hasAny": ["dry feet"]}}]}}}),
            vec![2, 3],
        ),
        (
            "{reviews: {some: {meta: {at: {path: \"helpful\", gt: 0}}}}}".to_owned(),
            json!({"reviews": {"some": {"meta": {"at": {"path": "helpful", "gt": 0}}}}}),
            vec![1],
        ),
        (
            "{reviews: {some: {}}}".to_owned(),
            json!({"reviews": {"some": {}}}),
            vec![1, 2, 3],
        ),
        (
            "{maker: {is: {name: {in: [\"Ann\", \"Ben\"]}}}}".to_owned(),
            json!({"maker": {"is": {"name": {"in": ["Ann", "Ben"]}}}}),
            vec![1, 2],
        ),
        (
            "{maker: {is: {name: {isNull: true}}}}".to_owned(),
            json!({"maker": {"is": {"name": {"isNull": true}}}}),
            vec![3],
        ),
        (
            "{maker: {isNull: true}}".to_owned(),
            json!({"maker": {"isNull": true}}),
            vec![4],
        ),
        (
            "{attributes: {contains: {color: \"red\"}}}".to_owned(),
            json!({"attributes": {"contains": {"color": "red"}}}),
            vec![1],
        ),
        (
            "{attributes: {at: [{path: [\"size\", \"width\"], gte: 12}, {path: [\"color\"], eq: \"red\"}]}}".to_owned(),
            json!({"attributes": {"at": [{"path": ["size", "width"], "gte": 12}, {"path": ["color"], "eq": "red"}]}}),
            vec![1, 2],
        ),
        (
            "{attributes: {at: {path: [\"color\"], ne: \"red\", isNull: false}}}".to_owned(),
            json!({"attributes": {"at": {"path": ["color"], "ne": "red", "isNull": false}}}),
            vec![3],
        ),
        // A condition that is null counts as omitted.
        (
            "{search: null, reviews: null, title: {eq: \"Umbrella\"}}".to_owned(),
            json!({"search": null, "reviews": null, "title": {"eq": "Umbrella"}}),
            vec![3],
        ),
    ] {
        assert_eq!(found(&schema, &literal, value).await, expected, "{literal}");
    }
}

#[tokio::test]
async fn pages_and_counts_have_the_same_documents() {
    let schema = served().await;
    let first = "query ($after: String) {
        productsConnection(where: {search: \"shoe or rain\"}, orderBy: {title: DESC}, first: 2, after: $after) {
            totalCount nodes { id } pageInfo { endCursor hasNextPage } } }";
    let page = async |after: Value| {
        let variables = Variables::from_json(json!({"after": after}));
        let answer = answer(&schema, Request::new(first).variables(variables)).await;
        assert_eq!(answer["errors"], Value::Null, "{answer}");
        answer["data"]["productsConnection"].clone()
    };
    let one = page(Value::Null).await;
    assert_eq!(one["totalCount"], 3);
    assert_eq!(one["nodes"], json!([{"id": 1}, {"id": 4}]));
    let two = page(one["pageInfo"]["endCursor"].clone()).await;
    assert_eq!(two["nodes"], json!([{"id": 2}]));
    assert_eq!(two["pageInfo"]["hasNextPage"], false);
}

#[tokio::test]
async fn what_cannot_be_compared_is_an_error_of_the_request() {
    let schema = served().await;
    let mut errors = Vec::new();
    for literal in [
        "{reviews: {}}",
        "{reviews: {some: null}}",
        "{reviews: {every: {}}}",
        "{reviews: {some: {autor: {}}}}",
        "{maker: {is: {name: {}}}}",
        "{maker: {is: {name: {like: \"A%\"}}}}",
        "{search: 7}",
        "{attributes: {at: {path: [\"color\"]}}}",
        "{attributes: {at: {eq: 7}}}",
        "{attributes: {at: {path: [\"color\"], eq: {a: 1}}}}",
        "{attributes: {at: {path: [\"color\"], lt: true}}}",
        "{attributes: {contains: {a: \"\\u0000\"}}}",
    ] {
        let query = format!("{{ products(where: {literal}) {{ id }} }}");
        let answer = answer(&schema, Request::new(query)).await;
        let error = answer["errors"][0]["message"].as_str().unwrap_or_default();
        errors.push(format!("{literal}: {error}"));
    }
    insta::assert_snapshot!(errors.join("\n"));
}

#[tokio::test]
async fn the_input_types_have_what_indexes_serve() {
    let schema = served().await;
    let sdl = schema.sdl();
    let inputs = sdl.split("\n\n").map(str::trim);
    let mut inputs: Vec<&str> = inputs.filter(|block| block.contains("input ")).collect();
    inputs.sort_unstable();
    insta::assert_snapshot!(inputs.join("\n\n"));
}

#[derive(TView)]
#[tview(table = "tb_product", index(fulltext = "title"))]
#[allow(dead_code)]
struct Search {
    id: i64,
    title: String,
    #[tview(filter, column = "title", json = "search")]
    search: String,
}

#[tokio::test]
#[should_panic(
    expected = "`SearchWhere` would have two fields `search`; give the field of the struct another name with \
                #[tview(json = \"..\")]"
)]
async fn two_fields_of_one_name_are_an_error_of_the_schema() {
    let pool = pool().await;
    Schema::build(
        Query::<(Search,)>::new(pool),
        EmptyMutation,
        EmptySubscription,
    )
    .finish();
}
