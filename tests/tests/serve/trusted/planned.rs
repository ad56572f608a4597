//! Tests that trusted documents are planned when they are loaded: the first request is answered directly.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_graphql::{
    CacheControl, Context, EmptyMutation, EmptySubscription, MergedObject, Object, ObjectType,
    Schema,
};
use fraiseql_graphql::http::{GraphQl, TrustedDocuments};
use fraiseql_graphql::{Prepared, Query, Views};
use fraiseql_runtime::{Readers, TView};
use fraiseql_tests::executed::Executed;
use fraiseql_tests::web::{Answer, Server};
use fraiseql_tests::world;
use fraiseql_tests::world::numbered::Comment;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::traced::Traced;

#[derive(Debug, TView)]
#[allow(dead_code)]
struct Post {
    id: i64,
    #[tview(filter, sort)]
    title: String,
    #[tview(many(fk = "post_id"))]
    comments: Vec<Comment>,
}

async fn pool() -> PgPool {
    let pool = world::numbered_blog()
        .rows(60)
        .sql("INSERT INTO tb_comment SELECT i, 'Comment ' || i, i % 9 + 1 FROM generate_series(1, 30) AS i")
        .pool()
        .await;
    world::model::<Post>().migrate(&pool).await.unwrap();
    sync_all_posts(&pool).await.unwrap();
    pool
}

fn schema<Q: ObjectType + 'static>(
    root: Q,
    executed: &Executed,
    prepared: Prepared,
) -> Schema<Q, EmptyMutation, EmptySubscription> {
    Schema::build(root, EmptyMutation, EmptySubscription)
        .extension(executed.clone())
        .extension(prepared)
        .limit_complexity(200)
        .finish()
}

fn direct() -> Prepared {
    Prepared::default().validate_once(true).direct(true)
}

/// A server of trusted documents, and one of the same that answers nothing directly.
struct Both {
    planned: Server,
    plain: Server,
    executed: Executed,
}

impl Both {
    async fn start<Q: ObjectType + 'static>(
        root: impl Fn() -> Q,
        documents: &TrustedDocuments,
    ) -> Self {
        let executed = Executed::default();
        let serve = async |schema: Schema<Q, EmptyMutation, EmptySubscription>| {
            let endpoint = GraphQl::new(schema).trusted(documents.clone()).await;
            Server::start(endpoint.unwrap_or_else(|errors| panic!("{errors}"))).await
        };
        let this = Self {
            planned: serve(schema(root(), &executed, direct())).await,
            plain: serve(schema(root(), &Executed::default(), Prepared::default())).await,
            executed,
        };
        this.executed.take();
        this
    }

    /// The answer, which is that of both, and whether it was given without an execution.
    async fn ask(&self, id: &str, variables: Value) -> (Answer, bool) {
        let body = json!({"documentId": id, "variables": variables}).to_string();
        let answer = self.planned.post(&body).await;
        let plain = self.plain.post(&body).await;
        assert_eq!(answer.text(), plain.text(), "{body}");
        assert_eq!(answer.status, plain.status, "{body}");
        let hints = [&answer, &plain].map(|answer| answer.headers.get("cache-control").cloned());
        assert_eq!(hints[0], hints[1], "{body}");
        // One that is refused is not executed either.
        let was_direct = self.executed.take() == 0 && answer.json().get("errors").is_none();
        (answer, was_direct)
    }
}

const PLANNED: &[(&str, &str, &str)] = &[
    (
        "key",
        "query ($id: BigInt!) { post(id: $id) { id title } }",
        r#"{"id": 7}"#,
    ),
    (
        "none",
        "query ($id: BigInt!) { post(id: $id) { id } }",
        r#"{"id": 700}"#,
    ),
    (
        "constant",
        "{ post(id: 7) { id comments { content } } }",
        "{}",
    ),
    ("list", "{ posts(limit: 3) { id title } }", "{}"),
    (
        "where",
        "query ($w: PostWhere) { posts(where: $w, limit: 2) { title } }",
        r#"{"w": {"title": {"eq": "Post 4"}}}"#,
    ),
    (
        "default",
        "query ($n: Int! = 5) { posts(limit: $n, offset: 2) { id } }",
        "{}",
    ),
    (
        "less",
        "query ($n: Int! = 5) { posts(limit: $n) { id } }",
        r#"{"n": 4}"#,
    ),
    (
        "page",
        "query ($a: String) { postsConnection(first: 2, after: $a) { nodes { id } totalCount } }",
        "{}",
    ),
    (
        "several",
        "query ($id: BigInt!) { a: post(id: $id) { ...p } posts(limit: 2) { ...p } b: post(id: 3) { id } } fragment p on Post { title __typename }",
        r#"{"id": 5}"#,
    ),
    (
        "nested",
        "query ($id: BigInt!) { ... { ...q } } fragment q on Query { post(id: $id) { id } ... @include(if: true) { posts(limit: 1) { id } } }",
        r#"{"id": 5}"#,
    ),
    (
        "skipped",
        "query ($id: BigInt!, $c: Boolean!) { post(id: $id) { id title @skip(if: $c) comments @include(if: $c) { content } } }",
        r#"{"id": 5, "c": true}"#,
    ),
    (
        "shown",
        "query ($id: BigInt!, $c: Boolean = true, $d: Boolean!) { post(id: $id) { id title @skip(if: $c) comments @include(if: $d) { content } } }",
        r#"{"id": 5, "d": false, "c": false}"#,
    ),
    (
        "empty",
        "query ($c: Boolean!) { post(id: 2) { id @include(if: $c) } }",
        r#"{"c": false}"#,
    ),
];

#[tokio::test]
async fn the_first_request_is_answered_directly() {
    let pool = pool().await;
    let documents = PLANNED
        .iter()
        .fold(TrustedDocuments::new(), |all, (id, text, _)| {
            all.document(*id, *text)
        });
    let traced = Traced::start("sqlx::query");
    let root = || {
        let hint = CacheControl {
            public: true,
            max_age: 60,
        };
        Query::<(Post,)>::new(Readers::lending(pool.clone())).cache::<Post>(hint)
    };
    let both = Both::start(root, &documents).await;
    assert_eq!(traced.take(), [""; 0], "nothing is read at start");
    for (id, _, variables) in PLANNED {
        let variables: Value = serde_json::from_str(variables).unwrap();
        let (answer, was_direct) = both.ask(id, variables).await;
        assert!(was_direct, "{id}: {}", answer.text());
        assert!(
            answer.text().starts_with("{\"data\":{"),
            "{}",
            answer.text()
        );
    }
    // Whatever is an error is the schema's.
    for variables in [json!({}), json!({"id": null}), json!({"id": "seven"})] {
        let (answer, was_direct) = both.ask("key", variables).await;
        assert!(
            !was_direct && answer.json()["errors"].is_array(),
            "{}",
            answer.text()
        );
    }
}

#[tokio::test]
async fn a_number_of_documents_is_allowed_by_the_schema() {
    let pool = pool().await;
    let documents = TrustedDocuments::new()
        .document(
            "default",
            "query ($n: Int! = 5) { posts(limit: $n) { id title } }",
        )
        .document(
            "required",
            "query ($n: Int!) { posts(limit: $n) { id title } }",
        )
        .document(
            "first",
            "query ($n: Int) { postsConnection(first: $n) { nodes { id } } }",
        );
    let root = || Query::<(Post,)>::new(Readers::lending(pool.clone()));
    let both = Both::start(root, &documents).await;
    for (id, number, direct, refused) in [
        ("default", 5, true, false),
        ("default", 6, false, false),
        ("default", 6, true, false),
        ("default", 100, false, true),
        ("default", 100, false, true),
        ("required", 3, false, false),
        ("required", 3, true, false),
        ("required", 100, false, true),
        ("first", 20, false, false),
        ("first", 20, true, false),
        ("first", 100, false, true),
    ] {
        let (answer, was_direct) = both.ask(id, json!({"n": number})).await;
        let is_refused = answer.text().contains("too complex");
        let text = answer.text();
        assert_eq!(
            (was_direct, is_refused),
            (direct, refused),
            "{id} {number}: {text}"
        );
    }
}

/// A root with a field of the application, and one whose name views elsewhere have.
struct Own {
    calls: Arc<AtomicUsize>,
    views: Views<(Post,)>,
}

#[Object]
impl Own {
    async fn count(&self) -> usize {
        self.calls.fetch_add(1, Ordering::SeqCst)
    }

    async fn post(&self, ctx: &Context<'_>, id: i64) -> async_graphql::Result<i64> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        ctx.data::<String>().map(|_| id)
    }

    async fn inner(&self) -> &Views<(Post,)> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        &self.views
    }
}

#[derive(MergedObject)]
struct Merged(Own, Views<(Post,)>);

#[tokio::test]
async fn fields_of_the_application_are_not_resolved_at_start() {
    let pool = pool().await;
    let calls = Arc::new(AtomicUsize::new(0));
    let own = || Own {
        calls: Arc::clone(&calls),
        views: Views::new(pool.clone()),
    };
    let documents = TrustedDocuments::new()
        .document("count", "{ count }")
        .document("post", "{ post(id: 7) }")
        .document("inner", "{ inner { posts(limit: 1) { id } } }");
    let endpoint = GraphQl::new(schema(own(), &Executed::default(), direct()));
    let _ = endpoint.trusted(documents).await.unwrap();
    assert_eq!(calls.load(Ordering::SeqCst), 0);

    // Fields of views beside them are planned by the first request.
    let executed = Executed::default();
    let documents = TrustedDocuments::new()
        .document("count", "{ count }")
        .document("posts", "{ posts(limit: 1) { id } }");
    let root = Merged(own(), Views::new(pool.clone()));
    let endpoint = GraphQl::new(schema(root, &executed, direct()));
    let endpoint = endpoint.trusted(documents).await.unwrap();
    assert_eq!(calls.load(Ordering::SeqCst), 0);
    assert_eq!(executed.take(), 0);
    let server = Server::start(endpoint).await;
    for executions in [1, 0] {
        let answer = server.post(r#"{"documentId": "posts"}"#).await;
        assert_eq!(answer.json(), json!({"data": {"posts": [{"id": 1}]}}));
        assert_eq!(executed.take(), executions);
    }
}

#[tokio::test]
async fn loading_needs_no_database() {
    let pool = sqlx::postgres::PgPoolOptions::new()
        .acquire_timeout(Duration::from_secs(600))
        .connect_lazy("postgres://nobody@127.0.0.1:1/none")
        .unwrap();
    let documents = PLANNED
        .iter()
        .fold(TrustedDocuments::new(), |all, (id, text, _)| {
            all.document(*id, *text)
        });
    let endpoint = |documents: TrustedDocuments| {
        let root = Query::<(Post,)>::new(Readers::lending(pool.clone()));
        GraphQl::new(schema(root, &Executed::default(), direct())).trusted(documents)
    };
    let loaded = tokio::time::timeout(Duration::from_secs(60), endpoint(documents)).await;
    assert!(loaded.unwrap().is_ok());
    // Root fields that are not planned.
    let others = TrustedDocuments::new()
        .document("type", "{ __typename posts(limit: 1) { id } }")
        .document("schema", "{ __schema { queryType { name } } }")
        .document("many", "query ($a: Boolean!, $b: Boolean!, $c: Boolean!, $d: Boolean!) {
            posts(limit: 1) { a: id @skip(if: $a) b: id @skip(if: $b) c: id @skip(if: $c) d: id @skip(if: $d) } }");
    let loaded = tokio::time::timeout(Duration::from_secs(60), endpoint(others)).await;
    assert!(loaded.unwrap().is_ok());
}
