//! Object types of documents have fields of the application.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_graphql::dataloader::{DataLoader, Loader};
use async_graphql::{
    Context, EmptyMutation, EmptySubscription, Error, MergedObject, Object, Request, Schema,
    SimpleObject,
};
use fraiseql_graphql::http::GraphQl;
use fraiseql_graphql::{Prepared, TvConnection, TvDoc, TvExtended, TvList, Views};
use fraiseql_runtime::list::Page;
use fraiseql_runtime::{Embed, TView};
use fraiseql_tests::{pool, run, world};
use serde_json::{Value, json};
use sqlx::PgPool;
use tower_service::Service as _;

#[derive(Debug, TView)]
#[allow(dead_code)]
struct Post {
    id: i32,
    title: String,
    #[tview(one(fk = "author_id"))]
    author: Author,
    #[tview(one(fk = "editor_id"))]
    editor: Option<Author>,
    #[tview(many(fk = "post_id"))]
    comments: Vec<Comment>,
}

#[derive(Debug, Embed)]
#[tview(table = "tb_user")]
#[allow(dead_code)]
struct Author {
    id: i32,
    name: String,
}

#[derive(Debug, Embed)]
#[tview(table = "tb_comment")]
#[allow(dead_code)]
struct Comment {
    id: i32,
    #[tview(one(fk = "author_id"))]
    author: Author,
}

/// What is needed of a post.
#[derive(Debug, Embed)]
#[tview(table = "tb_post", shape_of = Post)]
struct PostFields {
    id: i32,
    #[tview(one(fk = "author_id"))]
    author: AuthorFields,
}

#[derive(Debug, Embed)]
#[tview(table = "tb_user", shape_of = Author)]
struct AuthorFields {
    id: i32,
}

struct Viewer(i32);

#[derive(SimpleObject)]
struct Link {
    url: String,
    seconds: i32,
}

#[Object]
impl PostFields {
    /// Whether the viewer may change the post.
    async fn viewer_can_edit(&self, ctx: &Context<'_>) -> bool {
        ctx.data_opt::<Viewer>()
            .is_some_and(|viewer| viewer.0 == self.author.id)
    }

    /// A signed URL.
    async fn link(&self, #[graphql(default = 60)] seconds: i32) -> Link {
        let url = format!("/posts/{}?seconds={seconds}", self.id);
        Link { url, seconds }
    }

    async fn secret(&self) -> async_graphql::Result<Option<String>> {
        Err(Error::new("not for you"))
    }

    async fn must(&self) -> async_graphql::Result<String> {
        match self.id {
            2 => Err(Error::new("it must be")),
            id => Ok(format!("must {id}")),
        }
    }

    #[graphql(guard = "Never")]
    async fn guarded(&self) -> Option<i32> {
        Some(1)
    }
}

struct Never;

impl async_graphql::Guard for Never {
    async fn check(&self, _: &Context<'_>) -> async_graphql::Result<()> {
        Err(Error::new("forbidden"))
    }
}

#[Object]
impl AuthorFields {
    /// The number of posts, from a loader.
    async fn score(&self, ctx: &Context<'_>) -> async_graphql::Result<i32> {
        let loader = ctx.data_unchecked::<DataLoader<Scores>>();
        Ok(loader.load_one(self.id).await?.unwrap_or(0))
    }
}

struct Scores(Arc<AtomicUsize>);

impl Loader<i32> for Scores {
    type Value = i32;
    type Error = Arc<sqlx::Error>;

    async fn load(&self, keys: &[i32]) -> Result<HashMap<i32, i32>, Self::Error> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(keys.iter().map(|key| (*key, key * 100)).collect())
    }
}

struct Own;

#[Object]
impl Own {
    async fn found(
        &self,
        ctx: &Context<'_>,
        id: i32,
    ) -> async_graphql::Result<Option<TvDoc<Post>>> {
        Ok(TvDoc::find(ctx.data::<PgPool>()?, id).await?)
    }

    async fn listed(&self, ctx: &Context<'_>) -> async_graphql::Result<TvList<Post>> {
        Ok(TvList::find(ctx.data::<PgPool>()?, &[3, 1]).await?)
    }

    async fn paged(&self, ctx: &Context<'_>) -> async_graphql::Result<TvConnection<Post>> {
        let page = Post::list()
            .page(Page::first(1), ctx.data::<PgPool>()?)
            .await?;
        Ok(page.into())
    }
}

#[derive(MergedObject)]
struct Query(Views<(Post,)>, Own);

struct App {
    schema: Schema<Query, EmptyMutation, EmptySubscription>,
    loads: Arc<AtomicUsize>,
}

impl App {
    async fn new() -> Self {
        let pool = pool().await;
        run(
            &pool,
            "CREATE TABLE tb_user (id int4 PRIMARY KEY, name text NOT NULL);
             CREATE TABLE tb_post (id int4 PRIMARY KEY, title text NOT NULL,
                 author_id int4 NOT NULL REFERENCES tb_user, editor_id int4 REFERENCES tb_user);
             CREATE TABLE tb_comment (id int4 PRIMARY KEY, post_id int4 NOT NULL REFERENCES tb_post,
                 author_id int4 NOT NULL REFERENCES tb_user);
             CREATE INDEX ON tb_comment (post_id);
             INSERT INTO tb_user VALUES (1, 'Ada'), (2, 'Bob');
             INSERT INTO tb_post VALUES (1, 'One', 1, NULL), (2, 'Two', 2, 1), (3, 'Three', 1, 2);
             INSERT INTO tb_comment VALUES (10, 1, 2), (11, 1, 1)",
        )
        .await;
        world::model::<Post>().migrate(&pool).await.unwrap();
        sync_all_posts(&pool).await.unwrap();
        let loads = Arc::new(AtomicUsize::new(0));
        let loader = DataLoader::new(Scores(Arc::clone(&loads)), tokio::spawn);
        let query = Query(Views::new(pool.clone()), Own);
        let schema = Schema::build(query, EmptyMutation, EmptySubscription)
            .register_output_type::<TvExtended<Post, PostFields>>()
            .register_output_type::<TvExtended<Author, AuthorFields>>()
            .extension(Prepared::default().validate_once(true).direct(true))
            .data(pool)
            .data(loader)
            .finish();
        Self { schema, loads }
    }

    /// The text of the response, since the order of fields matters.
    async fn text(&self, query: &str) -> String {
        let mut endpoint = GraphQl::new(self.schema.clone())
            .with_data(|_| async { Ok::<_, axum::http::StatusCode>(Arc::new(Viewer(2))) });
        let request = axum::http::Request::post("/").header("content-type", "application/json");
        let body = json!({"query": query}).to_string();
        let answer = endpoint.call(request.body(body).unwrap()).await.unwrap();
        let body = axum::body::to_bytes(answer.into_body(), 1 << 20)
            .await
            .unwrap();
        String::from_utf8(body.into()).unwrap()
    }

    async fn answer(&self, query: &str, viewer: i32) -> Value {
        let request = Request::new(query).data(Viewer(viewer));
        let response = self.schema.execute(request).await;
        serde_json::to_value(&response).unwrap()
    }
}

#[tokio::test]
async fn the_object_type_has_the_fields() {
    let app = App::new().await;
    let sdl = app.schema.sdl();
    for field in [
        "viewerCanEdit: Boolean!",
        "link(seconds: Int! = 60): Link!",
        "secret: String\n",
        "score: Int!",
        "Whether the viewer may change the post.",
    ] {
        assert!(sdl.contains(field), "{field}: {sdl}");
    }
    assert!(!sdl.contains("PostFields"), "{sdl}");
}

#[tokio::test]
async fn own_fields_are_answered_wherever_the_type_is() {
    let app = App::new().await;
    let edit = |can: bool| json!({"viewerCanEdit": can});
    for (query, expected) in [
        (
            "{ post(id: 1) { viewerCanEdit } }",
            json!({"post": edit(true)}),
        ),
        (
            "{ post(id: 2) { viewerCanEdit } }",
            json!({"post": edit(false)}),
        ),
        ("{ post(id: 9) { viewerCanEdit } }", json!({"post": null})),
        (
            "{ posts { viewerCanEdit } }",
            json!({"posts": [edit(true), edit(false), edit(true)]}),
        ),
        (
            "{ postsConnection { nodes { id viewerCanEdit } edges { node { viewerCanEdit } } pageInfo { hasNextPage } } }",
            json!({"postsConnection": {
                "nodes": [
                    {"id": 1, "viewerCanEdit": true},
                    {"id": 2, "viewerCanEdit": false},
                    {"id": 3, "viewerCanEdit": true},
                ],
                "edges": [{"node": edit(true)}, {"node": edit(false)}, {"node": edit(true)}],
                "pageInfo": {"hasNextPage": false},
            }}),
        ),
        (
            "{ found(id: 3) { viewerCanEdit } }",
            json!({"found": edit(true)}),
        ),
        (
            "{ listed { id viewerCanEdit } }",
            json!({"listed": [
                {"id": 3, "viewerCanEdit": true}, {"id": 1, "viewerCanEdit": true},
            ]}),
        ),
        (
            "{ paged { nodes { viewerCanEdit } } }",
            json!({"paged": {"nodes": [edit(true)]}}),
        ),
        (
            "{ post(id: 1) { author { score } editor { score } comments { author { name score } } } }",
            json!({"post": {
                "author": {"score": 100},
                "editor": null,
                "comments": [
                    {"author": {"name": "Bob", "score": 200}},
                    {"author": {"name": "Ada", "score": 100}},
                ],
            }}),
        ),
        (
            "{ post(id: 2) { a: link { url } b: link(seconds: 5) { seconds url } } }",
            json!({"post": {
                "a": {"url": "/posts/2?seconds=60"},
                "b": {"seconds": 5, "url": "/posts/2?seconds=5"},
            }}),
        ),
        (
            "query { ... { post(id: 1) { ...F } } } fragment F on Post { ... on Post { edit: viewerCanEdit } }",
            json!({"post": {"edit": true}}),
        ),
        (
            "{ post(id: 1) { viewerCanEdit @skip(if: true) id link @include(if: false) { url } } }",
            json!({"post": {"id": 1}}),
        ),
    ] {
        for _ in 0..2 {
            assert_eq!(
                app.answer(query, 1).await,
                json!({"data": expected}),
                "{query}"
            );
        }
    }
}

#[tokio::test]
async fn fields_are_in_the_order_of_the_query_and_merged() {
    let app = App::new().await;
    for (query, expected) in [
        (
            "{ posts(limit: 1) { title viewerCanEdit id author { score name } t: __typename } }",
            r#"{"data":{"posts":[{"title":"One","viewerCanEdit":false,"id":1,"author":{"score":100,"name":"Ada"},"t":"Post"}]}}"#,
        ),
        (
            "{ post(id: 1) { link { url } id } post(id: 1) { id viewerCanEdit link { seconds } author { id } } }",
            r#"{"data":{"post":{"link":{"url":"/posts/1?seconds=60","seconds":60},"id":1,"viewerCanEdit":false,"author":{"id":1}}}}"#,
        ),
        (
            "{ posts(limit: 1) { id } posts(limit: 1) { viewerCanEdit } }",
            r#"{"data":{"posts":[{"id":1,"viewerCanEdit":false}]}}"#,
        ),
    ] {
        assert_eq!(app.text(query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn a_field_that_fails_is_null_or_makes_its_object_null() {
    let app = App::new().await;
    let answer = app.answer("{ posts(limit: 2) { id secret } }", 1).await;
    assert_eq!(
        answer["data"],
        json!({"posts": [{"id": 1, "secret": null}, {"id": 2, "secret": null}]})
    );
    let paths: Vec<&Value> = answer["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| &e["path"])
        .collect();
    assert_eq!(
        json!(paths),
        json!([["posts", 0, "secret"], ["posts", 1, "secret"]])
    );

    let answer = app
        .answer("{ a: post(id: 1) { must } b: post(id: 2) { id must } }", 1)
        .await;
    assert_eq!(answer["data"], json!({"a": {"must": "must 1"}, "b": null}));
    assert_eq!(answer["errors"][0]["path"], json!(["b", "must"]));
    assert_eq!(answer["errors"].as_array().unwrap().len(), 1);

    // A list whose elements cannot be null.
    let answer = app.answer("{ posts { must } }", 1).await;
    assert_eq!(answer["data"], Value::Null);
    assert_eq!(answer["errors"][0]["path"], json!(["posts", 1, "must"]));

    let answer = app.answer("{ post(id: 1) { id guarded } }", 1).await;
    assert_eq!(answer["data"], json!({"post": {"id": 1, "guarded": null}}));
    assert_eq!(answer["errors"][0]["message"], "forbidden");
}

#[tokio::test]
async fn a_loader_sees_all_documents_of_a_list_at_once() {
    let app = App::new().await;
    let answer = app
        .answer(
            "{ posts { author { score } comments { author { score } } } }",
            1,
        )
        .await;
    assert_eq!(answer.get("errors"), None, "{answer}");
    assert_eq!(app.loads.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_answer_with_own_fields_depends_on_its_request() {
    let app = App::new().await;
    for viewer in [1, 2, 1, 2] {
        let answer = app
            .answer("{ post(id: 2) { viewerCanEdit } }", viewer)
            .await;
        assert_eq!(
            answer,
            json!({"data": {"post": {"viewerCanEdit": viewer == 2}}})
        );
    }
    // Over HTTP, where a request for documents alone would be answered directly.
    for _ in 0..3 {
        let text = app
            .text("{ posts(limit: 1) { viewerCanEdit link { url } } }")
            .await;
        assert!(text.contains("viewerCanEdit"), "{text}");
    }
}

#[tokio::test]
async fn a_query_that_is_not_valid_is_refused() {
    let app = App::new().await;
    for query in [
        "{ post(id: 1) { viewerCanEdit { id } } }",
        "{ post(id: 1) { link } }",
        "{ post(id: 1) { link(hours: 1) { url } } }",
        "{ post(id: 1) { viewerCanDelete } }",
        "{ post(id: 1) { author { viewerCanEdit } } }",
    ] {
        let answer = app.answer(query, 1).await;
        assert!(answer["errors"].is_array(), "{query}: {answer}");
        assert_eq!(answer["data"], Value::Null, "{query}");
    }
}

#[test]
#[should_panic(expected = "needs fields of `Author`: `Author` has no field `title`")]
fn a_field_that_is_needed_must_be_there() {
    #[derive(Debug, Embed)]
    #[tview(table = "tb_user")]
    struct Wrong {
        title: String,
    }

    #[Object]
    impl Wrong {
        async fn shout(&self) -> String {
            self.title.to_uppercase()
        }
    }

    struct Root;

    #[Object]
    impl Root {
        async fn a(&self) -> Option<TvDoc<Author>> {
            None
        }
    }

    let _ = Schema::build(Root, EmptyMutation, EmptySubscription)
        .register_output_type::<TvExtended<Author, Wrong>>();
}

#[test]
#[should_panic(expected = "`Author` has a field `name` already")]
fn a_field_of_the_document_is_not_replaced() {
    #[derive(Debug, Embed)]
    #[tview(table = "tb_user", shape_of = Author)]
    struct Named {
        id: i32,
    }

    #[Object]
    impl Named {
        async fn name(&self) -> String {
            self.id.to_string()
        }
    }

    struct Root;

    #[Object]
    impl Root {
        async fn a(&self) -> Option<TvDoc<Author>> {
            None
        }
    }

    let _ = Schema::build(Root, EmptyMutation, EmptySubscription)
        .register_output_type::<TvExtended<Author, Named>>();
}
