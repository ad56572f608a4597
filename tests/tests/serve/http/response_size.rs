//! Tests that a response, and all responses together, are bounded.

use async_graphql::{EmptyMutation, EmptySubscription, Schema};
use axum::body::to_bytes;
use axum::http::{Request, StatusCode};
use fraiseql_graphql::http::GraphQl;
use fraiseql_graphql::{Prepared, TvConnection, TvList, Views};
use fraiseql_runtime::list::{OrderBy, Page};
use fraiseql_runtime::{Embed, TView};
use fraiseql_tests::{pool, run, world};
use serde_json::{Value, json};
use sqlx::PgPool;
use tower_service::Service as _;

/// The limit of the tests. The hundred posts have 1,000 bytes each, and a comment of ten bytes.
const MAX: usize = 60_000;

#[derive(Debug, TView)]
#[allow(dead_code)]
struct Post {
    id: i64,
    #[tview(sort)]
    title: String,
    content: String,
    #[tview(many(fk = "post_id"))]
    comments: Vec<Comment>,
}

#[derive(Debug, Embed)]
#[allow(dead_code)]
struct Comment {
    id: i64,
    content: String,
}

/// Resolvers of the application.
struct Own;

#[async_graphql::Object]
impl Own {
    async fn latest(
        &self,
        ctx: &async_graphql::Context<'_>,
    ) -> async_graphql::Result<TvList<Post>> {
        let pool = ctx.data::<PgPool>()?;
        Ok(Post::list().read(pool).await?.into_iter().collect())
    }

    async fn page(
        &self,
        ctx: &async_graphql::Context<'_>,
    ) -> async_graphql::Result<TvConnection<Post>> {
        let list = Post::list().order_by(OrderBy::asc("title"));
        let page = list.page(Page::first(100), ctx.data::<PgPool>()?).await?;
        Ok(page.into())
    }

    async fn text(&self, bytes: usize) -> String {
        "é".repeat(bytes / 2)
    }
}

#[derive(async_graphql::MergedObject)]
struct Query(Views<(Post,)>, Own);

async fn posts() -> PgPool {
    let pool = pool().await;
    run(
        &pool,
        "CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL, content text NOT NULL);
         CREATE TABLE tb_comment (id int8 PRIMARY KEY, post_id int8 NOT NULL REFERENCES tb_post, content text NOT NULL);
         CREATE INDEX ON tb_comment (post_id);
         INSERT INTO tb_post SELECT i, 'Post ' || i, repeat('x', 1000) FROM generate_series(1, 100) AS i;
         INSERT INTO tb_comment SELECT i, i, 'Comment' FROM generate_series(1, 100) AS i",
    )
    .await;
    world::model::<Post>().migrate(&pool).await.unwrap();
    sync_all_posts(&pool).await.unwrap();
    pool
}

struct App {
    pool: PgPool,
    router: axum::Router,
    schema: Schema<Query, EmptyMutation, EmptySubscription>,
}

impl App {
    async fn new() -> Self {
        let pool = posts().await;
        let query = Query(Views::new(pool.clone()), Own);
        let prepared = Prepared::default().validate_once(true).direct(true);
        let schema = Schema::build(query, EmptyMutation, EmptySubscription)
            .extension(prepared.max_response(MAX))
            .data(pool.clone())
            .finish();
        let endpoint = GraphQl::new(schema.clone()).max_response(MAX).max_batch(10);
        Self {
            pool,
            router: axum::Router::new().route_service("/", endpoint),
            schema,
        }
    }

    async fn post(&mut self, body: &Value) -> (StatusCode, String) {
        let request = Request::post("/").header("content-type", "application/json");
        self.send(request.body(body.to_string()).unwrap()).await
    }

    async fn send(&mut self, request: Request<String>) -> (StatusCode, String) {
        let answer = self.router.call(request).await.unwrap();
        let status = answer.status();
        let bytes = to_bytes(answer.into_body(), 1 << 24).await.unwrap();
        (status, String::from_utf8(bytes.into()).unwrap())
    }

    async fn query(&mut self, query: &str) -> Value {
        let (_, text) = self.post(&json!({"query": query})).await;
        assert!(text.len() < MAX + 65_536, "{} bytes: {query}", text.len());
        serde_json::from_str(&text).unwrap()
    }

    async fn assert_too_large(&mut self, query: &str) -> Value {
        let answer = self.query(query).await;
        assert_eq!(answer["data"], Value::Null, "{query}");
        let code = &answer["errors"][0]["extensions"]["code"];
        assert_eq!(code, "RESPONSE_TOO_LARGE", "{query}: {}", answer["errors"]);
        answer
    }
}

#[tokio::test]
async fn a_response_that_is_too_large_is_an_error_of_its_field() {
    let mut app = App::new().await;
    let answer = app
        .assert_too_large("{ posts(limit: 100) { content } }")
        .await;
    let error = &answer["errors"][0];
    assert_eq!(error["path"], json!(["posts"]));
    assert_eq!(error["locations"], json!([{"line": 1, "column": 3}]));
    let answer = app.query("{ posts(limit: 40) { content } }").await;
    assert_eq!(answer["data"]["posts"].as_array().unwrap().len(), 40);
}

#[tokio::test]
async fn every_way_to_a_large_response_is_bounded() {
    let mut app = App::new().await;
    let aliases = |field: &str, count: usize| {
        let fields: Vec<String> = (0..count).map(|n| format!("a{n}: {field}")).collect();
        format!("{{ {} }}", fields.join(" "))
    };
    let contents = (0..99)
        .map(|n| format!("c{n}: content"))
        .collect::<Vec<_>>();
    let contents = contents.join(" ");
    let longs = |name: &str| {
        let long = |n: u32| format!("{}{n}: {name}", "a".repeat(250));
        (100..200).map(long).collect::<Vec<_>>().join(" ")
    };
    let (ids, types) = (longs("id"), longs("__typename"));
    for query in [
        // Many fields, each of them small.
        aliases("posts(limit: 10) { content }", 24),
        aliases("postsConnection(first: 10) { nodes { content } }", 24),
        aliases("post(id: 7) { content id }", 100),
        // One document that is small, of which much is written.
        format!("{{ posts(limit: 1) {{ {contents} }} }}"),
        format!("{{ posts(limit: 1) {{ {contents} {contents} title }} }}"),
        format!("{{ posts(limit: 9) {{ comments {{ {ids} }} }} }}"),
        format!("{{ posts(limit: 9) {{ {types} }} }}"),
        format!("{{ post(id: 1) {{ {contents} }} }}"),
        // Pages.
        "{ postsConnection(first: 100) { nodes { content } } }".to_owned(),
        "{ postsConnection(first: 100) { edges { node { content } } } }".to_owned(),
        "{ postsConnection(first: 40) { nodes { content } edges { node { content } } } }"
            .to_owned(),
        // Resolvers of the application.
        "{ latest { content } }".to_owned(),
        "{ page { nodes { content } } }".to_owned(),
        "{ text(bytes: 200000) }".to_owned(),
    ] {
        // Twice: the second time, a plan may be known.
        for _ in 0..2 {
            let answer = app.query(&query).await;
            let code = &answer["errors"][0]["extensions"]["code"];
            let start = &query[..query.len().min(60)];
            assert_eq!(code, "RESPONSE_TOO_LARGE", "{start}: {answer:.300}");
        }
    }
}

#[tokio::test]
async fn equal_fields_are_one_in_the_response_and_in_memory() {
    let mut app = App::new().await;
    // Each has 20,000 bytes: copies of them would be too large.
    let many = "posts(limit: 20) { content } ".repeat(50);
    let answer = app
        .query(&format!("{{ {many} posts(limit: 20) {{ id }} }}"))
        .await;
    assert_eq!(answer["errors"], Value::Null);
    let posts = answer["data"]["posts"].as_array().unwrap();
    assert_eq!(posts.len(), 20);
    assert_eq!(posts[3]["id"], 4);
    let answer = app
        .query("{ post(id: 0) { id } post(id: 0) { title } }")
        .await;
    assert_eq!(answer, json!({"data": {"post": null}}));
}

#[tokio::test]
async fn the_requests_of_a_batch_share_the_limit() {
    let mut app = App::new().await;
    let one = json!({"query": "{ posts(limit: 10) { content } }"});
    let (status, text) = app.post(&Value::Array(vec![one; 10])).await;
    assert_eq!(status, StatusCode::OK);
    let answers: Vec<Value> = serde_json::from_str(&text).unwrap();
    let whole = answers
        .iter()
        .filter(|answer| answer["errors"].is_null())
        .count();
    assert!((1..6).contains(&whole), "{whole}");
    assert!(text.contains("RESPONSE_TOO_LARGE"));
}

#[tokio::test]
async fn a_get_is_bounded_and_so_is_a_direct_answer() {
    let mut app = App::new().await;
    // The plan is stored while the documents are small.
    let get = || {
        Request::get("/?query={posts(limit:100){content}}")
            .body(String::new())
            .unwrap()
    };
    run(&app.pool, "UPDATE tb_post SET content = 'short'").await;
    sync_all_posts(&app.pool).await.unwrap();
    let (status, text) = app.send(get()).await;
    assert_eq!((status, text.contains("errors")), (StatusCode::OK, false));
    run(&app.pool, "UPDATE tb_post SET content = repeat('x', 1000)").await;
    sync_all_posts(&app.pool).await.unwrap();
    for _ in 0..2 {
        let (_, text) = app.send(get()).await;
        assert!(text.contains("RESPONSE_TOO_LARGE"), "{text:.200}");
        assert!(text.contains(r#""path":["posts"]"#), "{text:.200}");
    }
}

#[tokio::test]
async fn a_schema_without_an_endpoint_is_bounded_by_its_extension() {
    let app = App::new().await;
    let response = app
        .schema
        .execute("{ posts(limit: 100) { content } }")
        .await;
    let text = serde_json::to_string(&response).unwrap();
    assert!(text.contains("RESPONSE_TOO_LARGE"), "{text:.200}");
}

#[tokio::test]
async fn stale_documents_are_bounded() {
    let mut app = App::new().await;
    run(&app.pool, "UPDATE tv_post SET shape = 1").await;
    app.assert_too_large("{ posts(limit: 100) { content } }")
        .await;
    let answer = app.query("{ posts(limit: 40) { content } }").await;
    assert_eq!(answer["data"]["posts"].as_array().unwrap().len(), 40);
}

#[tokio::test]
async fn a_connection_is_usable_after_a_read_that_was_stopped() {
    let mut app = App::new().await;
    for _ in 0..20 {
        app.assert_too_large("{ posts(limit: 100) { content } }")
            .await;
        let answer = app.query("{ posts(limit: 2) { id } }").await;
        assert_eq!(answer, json!({"data": {"posts": [{"id": 1}, {"id": 2}]}}));
    }
    // No more than the pool has, and none of them is left in a statement.
    assert!(app.pool.size() <= 4);
}
