//! Tests that direct answers have the bytes that the schema would give.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextExecute};
use async_graphql::{
    Context, EmptySubscription, MergedObject, Object, Response, Schema, async_trait,
};
use axum::body::to_bytes;
use axum::http::{Request, StatusCode};
use fraiseql_graphql::http::GraphQl;
use fraiseql_graphql::{Prepared, Views};
use fraiseql_runtime::{Readers, TView};
use fraiseql_tests::world;
use fraiseql_tests::world::numbered::Comment;
use serde_json::{Value, json};
use sqlx::PgPool;
use tower_service::Service as _;

#[derive(Debug, TView)]
#[allow(dead_code)]
struct Post {
    id: i64,
    #[tview(filter, sort)]
    title: String,
    weight: Option<f64>,
    #[tview(many(fk = "post_id"))]
    comments: Vec<Comment>,
}

struct Own;

#[Object]
impl Own {
    async fn answer(&self) -> i32 {
        42
    }
}

#[derive(MergedObject)]
struct Query(Views<(Post,)>, Own);

struct Mutation;

#[Object]
impl Mutation {
    async fn rename(
        &self,
        ctx: &Context<'_>,
        id: i64,
        title: String,
    ) -> async_graphql::Result<i64> {
        let pool = ctx.data::<PgPool>()?;
        sqlx::query("UPDATE tb_post SET title = $2 WHERE id = $1")
            .bind(id)
            .bind(title)
            .execute(pool)
            .await?;
        sync_post(pool, &[id]).await?;
        Ok(id)
    }
}

/// Counts executions of the schema.
struct Executed(Arc<AtomicUsize>);

impl ExtensionFactory for Executed {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self(Arc::clone(&self.0)))
    }
}

#[async_trait::async_trait]
impl Extension for Executed {
    async fn execute(
        &self,
        ctx: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        self.0.fetch_add(1, Ordering::SeqCst);
        next.run(ctx, operation_name).await
    }
}

/// An endpoint that answers directly, and one that does not.
struct Both {
    direct: axum::Router,
    plain: axum::Router,
    executed: Arc<AtomicUsize>,
    pool: PgPool,
}

impl Both {
    async fn new() -> Self {
        let pool = world::numbered_blog()
            .column("tb_post", "weight float8")
            .rows(9)
            .sql("UPDATE tb_post SET weight = id / 2.0")
            .sql("INSERT INTO tb_comment SELECT i, 'Comment ' || i, i % 9 + 1 FROM generate_series(1, 30) AS i")
            .pool()
            .await;
        world::model::<Post>().migrate(&pool).await.unwrap();
        sync_all_posts(&pool).await.unwrap();
        let executed = Arc::new(AtomicUsize::new(0));
        let router = |prepared: Prepared, executed: Arc<AtomicUsize>| {
            let views = Views::new(Readers::lending(pool.clone()));
            let schema = Schema::build(Query(views, Own), Mutation, EmptySubscription)
                .extension(Executed(executed))
                .extension(prepared)
                .data(pool.clone())
                .finish();
            let endpoint = GraphQl::new(schema).max_batch(2).with_data(|parts| {
                let is_known = !parts.headers.contains_key("x-unknown");
                async move { is_known.then_some(()).ok_or(StatusCode::UNAUTHORIZED) }
            });
            axum::Router::new().route_service("/", endpoint)
        };
        let direct = Prepared::default().validate_once(true).direct(true);
        Self {
            direct: router(direct, Arc::clone(&executed)),
            plain: router(Prepared::default(), Arc::default()),
            executed,
            pool,
        }
    }

    /// The response, asserted to be equal from both, and whether it was given without executing the
    /// schema.
    async fn ask(&mut self, body: Value) -> (String, bool) {
        let before = self.executed.load(Ordering::SeqCst);
        let answer = send(&mut self.direct, &body).await;
        let is_data = answer.1.starts_with("{\"data\":");
        let was_direct = is_data && self.executed.load(Ordering::SeqCst) == before;
        assert_eq!(answer, send(&mut self.plain, &body).await, "{body}");
        (answer.1, was_direct)
    }

    /// Sends a request twice, and returns whether the second response was direct.
    async fn twice(&mut self, body: Value) -> (String, bool) {
        let (first, was_direct) = self.ask(body.clone()).await;
        assert!(!was_direct, "nothing is known of it: {body}");
        let (second, was_direct) = self.ask(body).await;
        assert_eq!(first, second);
        (second, was_direct)
    }
}

async fn send(app: &mut axum::Router, body: &Value) -> (StatusCode, String) {
    let request = Request::post("/").header("content-type", "application/json");
    let answer = app
        .call(request.body(body.to_string()).unwrap())
        .await
        .unwrap();
    let status = answer.status();
    let bytes = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    (status, String::from_utf8(bytes.into()).unwrap())
}

fn query(text: &str) -> Value {
    json!({"query": text})
}

#[tokio::test]
async fn a_repeated_request_for_documents_is_answered_directly() {
    let mut both = Both::new().await;
    for text in [
        "{ posts { id title } }",
        "{ posts(limit: 2, offset: 1) { id comments { content } } }",
        "{ posts(where: {title: {eq: \"Post 7\"}}) { weight } }",
        "{ posts(where: {title: {eq: \"none\"}}) { weight } }",
        "{ posts(orderBy: [{title: DESC}], limit: 3) { id } }",
        "{ some: posts(limit: 1) { key: id ...rest } } fragment rest on Post { title __typename }",
        "{ post(id: 7) { id comments { id } } }",
        "{ post(id: 700) { id } }",
        "{ posts(limit: 2) { ... @include(if: true) { title } id @skip(if: true) weight } }",
        "query Named { posts(limit: 1) { id } }",
    ] {
        let (answer, was_direct) = both.twice(query(text)).await;
        assert!(was_direct, "{text}: {answer}");
        assert!(answer.starts_with("{\"data\":{"), "{answer}");
    }
}

#[tokio::test]
async fn requests_with_other_variables_are_different_requests() {
    let mut both = Both::new().await;
    let text = "query ($id: BigInt!, $more: Boolean = false) { post(id: $id) { id title @include(if: $more) } }";
    let of = |variables: Value| json!({"query": text, "variables": variables});
    let (seven, was_direct) = both.twice(of(json!({"id": 7, "more": true}))).await;
    assert!(was_direct && seven.contains("Post 7"), "{seven}");
    let (eight, was_direct) = both.ask(of(json!({"id": 8, "more": true}))).await;
    assert!(!was_direct && eight.contains("Post 8"), "{eight}");
    let (eight, was_direct) = both.ask(of(json!({"id": 8, "more": true}))).await;
    assert!(was_direct && eight.contains("Post 8"), "{eight}");
    let (less, was_direct) = both.ask(of(json!({"id": 8, "more": false}))).await;
    assert!(!was_direct && !less.contains("title"), "{less}");
    let (wrong, was_direct) = both.ask(of(json!({"id": "eight"}))).await;
    assert!(!was_direct && wrong.contains("errors"), "{wrong}");
}

#[tokio::test]
async fn a_direct_answer_has_the_current_documents() {
    let mut both = Both::new().await;
    let text = query("{ posts(limit: 1) { title comments { content } } }");
    both.twice(text.clone()).await;
    let renamed = query("mutation { rename(id: 1, title: \"New\") }");
    send(&mut both.direct, &renamed).await;
    let (answer, was_direct) = both.ask(text.clone()).await;
    assert!(was_direct && answer.contains("\"New\""), "{answer}");
    fraiseql_tests::run(&both.pool, "DELETE FROM tv_post WHERE id = 1").await;
    let (answer, was_direct) = both.ask(text).await;
    assert!(was_direct && answer.contains("Post 2"), "{answer}");
}

#[tokio::test]
async fn requests_for_more_than_one_field_of_documents_are_executed_by_the_schema() {
    let mut both = Both::new().await;
    for body in [
        query("{ posts { id } answer }"),
        query("{ a: posts { id } b: posts { title } }"),
        query("{ answer }"),
        query("{ posts @include(if: true) { id } }"),
        query("{ ... { posts { id } } }"),
        query("{ ...all } fragment all on Query { posts { id } }"),
        query("{ postsConnection(first: 2) { nodes { id } } }"),
        query("{ __typename }"),
        query("query A { posts { id } } query B { answer }"),
        json!({"query": "{ posts(limit: 3) { id } }", "extensions": {"more": 1}}),
        json!([{"query": "{ posts(limit: 4) { id } }"}]),
    ] {
        assert!(!both.twice(body.clone()).await.1, "{body}");
    }
    // Not even after such a field was answered directly.
    let alone = json!({"query": "{ posts(limit: 3) { id } }"});
    assert!(!both.ask(alone.clone()).await.1);
    assert!(both.ask(alone).await.1);
    let more = json!({"query": "{ posts(limit: 3) { id } }", "extensions": {"more": 1}});
    assert!(!both.ask(more).await.1);
}

#[tokio::test]
async fn a_mutation_is_never_executed_twice_for_one_request() {
    let mut both = Both::new().await;
    let body = query("mutation { rename(id: 1, title: \"Again\") }");
    for _ in 0..3 {
        assert!(!both.ask(body.clone()).await.1);
    }
}

#[tokio::test]
async fn errors_are_reported_by_the_schema() {
    let mut both = Both::new().await;
    let text = query("{ posts(limit: 2) { id } }");
    assert!(both.twice(text.clone()).await.1);
    fraiseql_tests::run(&both.pool, "ALTER TABLE tv_post RENAME TO elsewhere").await;
    let (status, answer) = send(&mut both.direct, &text).await;
    assert_eq!(status, StatusCode::OK);
    assert!(
        answer.contains("\"INTERNAL\"") && !answer.contains("tv_post"),
        "{answer}"
    );
    fraiseql_tests::run(&both.pool, "ALTER TABLE elsewhere RENAME TO tv_post").await;
    assert!(both.ask(text).await.1);

    // A document that does not match its type is an error with its path, each time.
    let text = query("{ posts(limit: 2) { title } }");
    assert!(both.twice(text.clone()).await.1);
    fraiseql_tests::run(
        &both.pool,
        "UPDATE tv_post SET data = data - 'title' WHERE id = 2",
    )
    .await;
    let (answer, was_direct) = both.ask(text).await;
    assert!(
        !was_direct && answer.contains("\"path\":[\"posts\",1"),
        "{answer}"
    );
}

#[tokio::test]
async fn unauthorized_requests_are_refused_before_a_direct_answer() {
    let mut both = Both::new().await;
    let text = query("{ posts(limit: 2) { id } }");
    assert!(both.twice(text.clone()).await.1);
    let request = Request::post("/")
        .header("content-type", "application/json")
        .header("x-unknown", "1");
    let request = request.body(text.to_string()).unwrap();
    let answer = both.direct.call(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
}
