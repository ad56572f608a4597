//! Tests that direct answers have the bytes that the schema would give.

use async_graphql::{Context, EmptySubscription, MergedObject, Object, Schema};
use axum::body::to_bytes;
use axum::http::{Request, StatusCode};
use fraiseql_graphql::http::GraphQl;
use fraiseql_graphql::{Prepared, Views};
use fraiseql_runtime::{Readers, TView};
use fraiseql_tests::executed::Executed;
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

struct Own {
    inner: Views<(Post,)>,
}

#[Object]
impl Own {
    async fn answer(&self) -> i32 {
        42
    }

    async fn inner(&self) -> &Views<(Post,)> {
        &self.inner
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

/// An endpoint that answers directly, and one that does not.
struct Both {
    direct: axum::Router,
    plain: axum::Router,
    executed: Executed,
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
        let executed = Executed::default();
        let router = |prepared: Prepared, executed: Executed| {
            let views = Views::new(Readers::lending(pool.clone()));
            let inner = Views::new(pool.clone());
            let schema = Schema::build(Query(views, Own { inner }), Mutation, EmptySubscription)
                .extension(executed)
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
            direct: router(direct, executed.clone()),
            plain: router(Prepared::default(), Executed::default()),
            executed,
            pool,
        }
    }

    /// The response, asserted to be equal from both, and whether it was given without executing the
    /// schema.
    async fn ask(&mut self, body: Value) -> (String, bool) {
        let before = self.executed.count();
        let answer = send(&mut self.direct, &body).await;
        let is_data = answer.1.starts_with("{\"data\":");
        let was_direct = is_data && self.executed.count() == before;
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
        "{ a: posts { id } b: posts { title } }",
        "{ posts { id } post(id: 2) { title } posts { title } }",
        "{ posts @include(if: true) { id } post(id: 1) @skip(if: true) { id } }",
        "{ ... { posts { id } } }",
        "{ ...all b: post(id: 4) { id } } fragment all on Query { posts { id } }",
        "{ postsConnection(first: 2) { nodes { id } } }",
        "{ postsConnection(first: 2) { nodes { id } totalCount } }",
        "{ postsConnection(last: 2, where: {title: {ne: \"Post 3\"}}) { ...n } } fragment n on PostConnection { n: totalCount }",
        "{ post(id: 4) { id @skip(if: true) } }",
    ] {
        let (answer, was_direct) = both.twice(query(text)).await;
        assert!(was_direct, "{text}: {answer}");
        assert!(answer.starts_with("{\"data\":{"), "{answer}");
    }
}

#[tokio::test]
async fn a_request_with_other_variables_is_answered_directly() {
    let mut both = Both::new().await;
    let text = "query ($id: BigInt!, $more: Boolean = false) { post(id: $id) { id title @include(if: $more) } }";
    let of = |variables: Value| json!({"query": text, "variables": variables});
    let (seven, was_direct) = both.ask(of(json!({"id": 7, "more": true}))).await;
    assert!(!was_direct && seven.contains("Post 7"), "{seven}");
    let (eight, was_direct) = both.ask(of(json!({"id": 8, "more": true}))).await;
    assert!(was_direct && eight.contains("Post 8"), "{eight}");
    // What is selected depends on it.
    let (less, was_direct) = both.ask(of(json!({"id": 8, "more": false}))).await;
    assert!(!was_direct && !less.contains("title"), "{less}");
    let (less, was_direct) = both.ask(of(json!({"id": "9"}))).await;
    assert!(was_direct && !less.contains("title"), "{less}");
    let (nine, was_direct) = both.ask(of(json!({"id": 9, "more": true}))).await;
    assert!(was_direct && nine.contains("Post 9"), "{nine}");
    let (none, was_direct) = both.ask(of(json!({"id": 700}))).await;
    assert!(was_direct && none.contains("null"), "{none}");
    for wrong in [
        json!({"id": "eight"}),
        json!({"id": null}),
        json!({}),
        json!({"id": 7, "more": null}),
        json!({"id": 7, "more": 1}),
        json!({"id": [7]}),
    ] {
        let (answer, was_direct) = both.ask(of(wrong)).await;
        assert!(!was_direct && answer.contains("errors"), "{answer}");
    }
}

#[tokio::test]
async fn any_argument_may_be_a_variable() {
    let mut both = Both::new().await;
    let text = "query ($w: PostWhere, $title: String = \"Post 1\", $titles: [String!] = [], $o: [PostOrderBy!], $way: OrderDirection = ASC,
                       $n: Int! = 3, $skip: Int) {
        a: posts(where: $w, orderBy: $o, limit: $n, offset: $skip) { id title }
        b: posts(where: {or: [{title: {eq: $title}}, {title: {in: $titles}}]}, orderBy: [{title: $way}]) { id }
        c: postsConnection(where: $w, first: $n) { nodes { id } pageInfo { hasNextPage } }
        post(id: 3) { title }
    }";
    let of = |variables: Value| json!({"query": text, "variables": variables});
    assert!(!both.ask(of(json!({"n": 9, "skip": 0}))).await.1);
    for variables in [
        json!({"n": 1, "skip": 1}),
        json!({"skip": 2}),
        json!({"w": null, "skip": 0, "title": "Post 2"}),
        json!({"w": {}, "skip": 0, "titles": ["Post 2", "Post 4"], "way": "DESC"}),
        json!({"w": {"title": {"gt": "Post 4"}}, "skip": 0, "o": [{"title": "DESC"}]}),
        json!({"w": {"not": {"title": {"in": "Post 4"}}}, "skip": 0, "o": {"title": "ASC"}}),
        json!({"skip": 0, "titles": "Post 2", "title": "Post 5", "o": null}),
        json!({"skip": 2.0, "titles": [], "o": []}),
        json!({}),
        json!({"unknown": 1}),
    ] {
        let (answer, was_direct) = both.ask(of(variables.clone())).await;
        assert!(was_direct, "{variables} {answer}");
    }
    for variables in [
        json!({"n": 10}),
        json!({"n": null}),
        json!({"skip": null}),
        json!({"skip": -1}),
        json!({"title": null}),
        json!({"titles": null}),
        json!({"titles": [null]}),
        json!({"w": {"title": {"nothing": 1}}}),
        json!({"w": {"title": {"eq": null}}}),
        json!({"way": "UP"}),
        json!({"way": null}),
        json!({"o": [{}]}),
    ] {
        let (answer, was_direct) = both.ask(of(variables.clone())).await;
        assert!(!was_direct, "{variables} {answer}");
    }
    // More documents than any request before, which might be too many for a limit.
    assert!(both.ask(of(json!({"n": 10}))).await.1);
}

#[tokio::test]
async fn pages_are_read_directly_from_cursor_to_cursor() {
    let mut both = Both::new().await;
    let text = "query ($n: Int, $after: String, $last: Int, $before: String) {
        postsConnection(first: $n, after: $after, last: $last, before: $before, orderBy: [{title: DESC}]) {
            edges { cursor node { id comments { id } } } pageInfo { hasNextPage endCursor startCursor }
        }
    }";
    let of = |variables: Value| json!({"query": text, "variables": variables});
    let cursor = |answer: &str, name: &str| {
        let answer: Value = serde_json::from_str(answer).unwrap();
        answer["data"]["postsConnection"]["pageInfo"][name].clone()
    };
    let (page, was_direct) = both.ask(of(json!({"n": 2, "after": null}))).await;
    assert!(!was_direct, "{page}");
    let mut end = cursor(&page, "endCursor");
    for _ in 0..4 {
        let (page, was_direct) = both.ask(of(json!({"n": 2, "after": end}))).await;
        assert!(was_direct, "{page}");
        end = cursor(&page, "endCursor");
    }
    let (page, was_direct) = both.ask(of(json!({"last": 2, "before": end}))).await;
    assert!(was_direct && page.contains("\"id\":2"), "{page}");
    let (wrong, was_direct) = both.ask(of(json!({"n": 2, "after": "none"}))).await;
    assert!(!was_direct && wrong.contains("not a cursor"), "{wrong}");
}

#[tokio::test]
async fn documents_are_counted_for_each_direct_answer() {
    let mut both = Both::new().await;
    let text = "query ($w: PostWhere, $count: Boolean!) {
        postsConnection(first: 2, where: $w) { nodes { id } totalCount @include(if: $count) } }";
    let of = |title: &str, count: bool| {
        let w = json!({"title": {"gt": title}});
        json!({"query": text, "variables": {"w": w, "count": count}})
    };
    assert!(!both.ask(of("Post 1", true)).await.1);
    let (answer, was_direct) = both.ask(of("Post 4", true)).await;
    assert!(
        was_direct && answer.contains("\"totalCount\":5"),
        "{answer}"
    );
    fraiseql_tests::run(&both.pool, "DELETE FROM tv_post WHERE id > 6").await;
    let (answer, was_direct) = both.ask(of("Post 4", true)).await;
    assert!(
        was_direct && answer.contains("\"totalCount\":2"),
        "{answer}"
    );
    // What is selected depends on it.
    let (answer, was_direct) = both.ask(of("Post 4", false)).await;
    assert!(!was_direct && !answer.contains("totalCount"), "{answer}");
    let (answer, was_direct) = both.ask(of("Post 1", false)).await;
    assert!(was_direct && !answer.contains("totalCount"), "{answer}");
    let (answer, was_direct) = both.ask(of("Post 1", true)).await;
    assert!(answer.contains("\"totalCount\":5"), "{answer} {was_direct}");
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
async fn requests_for_more_than_documents_are_executed_by_the_schema() {
    let mut both = Both::new().await;
    for body in [
        query("{ posts { id } answer }"),
        query("{ answer }"),
        query("{ __typename }"),
        query("{ posts { id } __typename }"),
        query("{ posts @skip(if: true) { id } }"),
        query("{ inner { posts { id } } }"),
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
        "UPDATE tv_post SET data = data - 'title', title = NULL WHERE id = 2",
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
