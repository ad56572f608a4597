//! Tests that requests which come at the same time share statements and answers, and that each gets its own.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::{EmptyMutation, EmptySubscription, Schema};
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, StatusCode};
use fraiseql_graphql::http::GraphQl;
use fraiseql_graphql::{Prepared, Query};
use fraiseql_runtime::{Readers, TView};
use fraiseql_tests::world;
use futures_util::future::join_all;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tower_service::Service as _;

use crate::traced::Traced;

#[derive(Debug, TView)]
#[allow(dead_code)]
struct Post {
    id: i64,
    #[tview(tenant, hidden)]
    blog_id: i32,
    title: String,
    #[tview(filter)]
    content: String,
}

const POSTS: i64 = 30;

/// The blog of a request.
#[derive(Clone)]
struct Blog(i32);

/// Posts of three blogs in turn, each with its number as its title; and connections of which reads of a kind have one.
async fn pool() -> PgPool {
    let pool = PgPoolOptions::new()
        .max_connections(3)
        .connect_with(fraiseql_tests::database().await)
        .await
        .unwrap();
    world::numbered_blog()
        .column("tb_post", "blog_id int4 NOT NULL DEFAULT 0")
        .column("tb_post", "content text NOT NULL DEFAULT 'same'")
        .rows(POSTS)
        .sql("UPDATE tb_post SET blog_id = id % 3, title = id")
        .on(&pool)
        .await;
    world::model::<Post>().migrate(&pool).await.unwrap();
    sync_all_posts(&pool).await.unwrap();
    pool
}

#[derive(Clone)]
struct Site {
    app: axum::Router,
}

impl Site {
    fn new(pool: &PgPool) -> Self {
        Self::limited(pool, |endpoint| endpoint)
    }

    fn limited(
        pool: &PgPool,
        limit: impl FnOnce(
            GraphQl<Schema<Query<(Post,)>, EmptyMutation, EmptySubscription>>,
        ) -> GraphQl<Schema<Query<(Post,)>, EmptyMutation, EmptySubscription>>,
    ) -> Self {
        let query = Query::<(Post,)>::scoped(Readers::lending(pool.clone()), |request| {
            Ok(request.data::<Blog>()?.0)
        });
        let schema = Schema::build(query, EmptyMutation, EmptySubscription)
            .extension(Prepared::default().validate_once(true).direct(true))
            .finish();
        let endpoint = limit(GraphQl::new(schema)).with_data(|parts| {
            let blog = parts
                .headers
                .get("x-blog")
                .and_then(|blog| blog.to_str().ok()?.parse().ok());
            async move { blog.map(Blog).ok_or(StatusCode::UNAUTHORIZED) }
        });
        Self {
            app: axum::Router::new().route_service("/", endpoint),
        }
    }

    async fn send(&self, blog: i32, text: &str, variables: Value) -> Response<Body> {
        let body = json!({"query": text, "variables": variables}).to_string();
        let request = Request::post("/")
            .header("content-type", "application/json")
            .header("x-blog", blog)
            .body(body);
        self.app.clone().call(request.unwrap()).await.unwrap()
    }

    async fn ask(&self, blog: i32, text: &str, variables: Value) -> Value {
        received(self.send(blog, text, variables).await).await
    }
}

async fn received(response: Response<Body>) -> Value {
    let bytes = to_bytes(response.into_body(), 1 << 24).await.unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

const BY_KEY: &str = "query ($id: BigInt!) { post(id: $id) { id title content } }";
const LIST: &str =
    "query ($text: String!) { posts(where: {content: {eq: $text}}) { id title content } }";
const PAGE: &str = "{ postsConnection(first: 5) { nodes { id } totalCount } }";

fn numbers(blog: i32) -> Vec<i64> {
    (1..=POSTS).filter(|id| id % 3 == i64::from(blog)).collect()
}

#[tokio::test]
async fn concurrent_requests_send_few_statements() {
    let pool = pool().await;
    let site = Site::new(&pool);
    let traced = Traced::start("sqlx::query");
    // The first ones are executed by the schema.
    for (text, variables) in [
        (BY_KEY, json!({"id": 1})),
        (LIST, json!({"text": "same"})),
        (PAGE, json!({})),
    ] {
        assert!(site.ask(1, text, variables).await["data"].is_object());
    }
    traced.take();
    let ids = numbers(1);
    let posts = join_all(ids.iter().map(|id| site.ask(1, BY_KEY, json!({"id": id})))).await;
    for (post, id) in posts.iter().zip(&ids) {
        assert_eq!(post["data"]["post"]["title"], id.to_string(), "{post}");
    }
    // One connection reads; what has begun with the first one is with it.
    assert_eq!(traced.take().len(), 1);

    let lists = join_all((0..40).map(|_| site.ask(1, LIST, json!({"text": "same"})))).await;
    assert_eq!(
        lists[0]["data"]["posts"].as_array().unwrap().len(),
        ids.len()
    );
    assert!(lists.iter().all(|list| *list == lists[0]));
    assert_eq!(traced.take().len(), 1);

    // Two statements for a page with its count.
    let pages = join_all((0..40).map(|_| site.ask(1, PAGE, json!({})))).await;
    assert_eq!(pages[0]["data"]["postsConnection"]["totalCount"], ids.len());
    assert!(pages.iter().all(|page| *page == pages[0]));
    assert_eq!(traced.take().len(), 2);
}

#[tokio::test]
async fn requests_that_differ_share_nothing() {
    let pool = pool().await;
    let site = Site::new(&pool);
    for _ in 0..5 {
        let asked = (0..120).map(async |n: i32| {
            let (blog, id) = (n % 4, i64::from(n % 31));
            let own = numbers(blog).contains(&id);
            let post = site.ask(blog, BY_KEY, json!({"id": id})).await;
            match own {
                true => assert_eq!(post["data"]["post"]["title"], id.to_string(), "{post}"),
                false => assert_eq!(post, json!({"data": {"post": null}}), "{id} of {blog}"),
            }
            let text = ["same", "none"][usize::try_from(n % 2).unwrap()];
            let list = site.ask(blog, LIST, json!({"text": text})).await;
            let ids: Vec<_> = list["data"]["posts"].as_array().unwrap().iter().collect();
            let expected = if text == "same" {
                numbers(blog)
            } else {
                Vec::new()
            };
            let expected: Vec<_> = expected.iter().map(|id| id.to_string()).collect();
            let found: Vec<_> = ids
                .iter()
                .map(|post| post["title"].as_str().unwrap())
                .collect();
            assert_eq!(found, expected, "{blog} {text}");
        });
        join_all(asked).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_has_what_was_committed_before_it_was_asked_for() {
    let pool = pool().await;
    let site = Site::new(&pool);
    // Of each post, how often it was changed.
    let changes: Arc<Vec<_>> = Arc::new((0..3).map(|_| tokio::sync::Mutex::new(0)).collect());
    let clients = (0..12_u64).map(|seed| {
        let (pool, site, changes) = (pool.clone(), site.clone(), Arc::clone(&changes));
        tokio::spawn(async move {
            let mut random = StdRng::seed_from_u64(seed);
            for _ in 0..120 {
                let index = random.random_range(0..3);
                // All three are of one blog.
                let id = i64::try_from(index).unwrap() * 3 + 1;
                let mut held = None;
                if random.random_bool(0.3) {
                    let mut count = changes[index].lock().await;
                    *count += 1;
                    sqlx::query("UPDATE tb_post SET title = $2 WHERE id = $1")
                        .bind(id)
                        .bind(format!("change {count}"))
                        .execute(&pool)
                        .await
                        .unwrap();
                    sync_post(&pool, &[id]).await.unwrap();
                    // Held until it is read: nobody changes it meanwhile.
                    held = Some(count);
                }
                let (post, list) = tokio::join!(
                    site.ask(1, BY_KEY, json!({"id": id})),
                    site.ask(1, LIST, json!({"text": "same"})),
                );
                let post = &post["data"]["post"];
                let posts = list["data"]["posts"].as_array().unwrap();
                let listed = posts
                    .iter()
                    .find(|post| post["content"] == "same" && post["id"] == json!(id.to_string()));
                let listed = listed.or_else(|| posts.iter().find(|post| post["id"] == json!(id)));
                if let Some(count) = held {
                    let title = format!("change {count}");
                    assert_eq!(post["title"], title);
                    assert_eq!(listed.unwrap()["title"], title);
                }
                if random.random_bool(0.1) {
                    tokio::time::sleep(Duration::from_micros(random.random_range(0..2_000))).await;
                }
            }
        })
    });
    for client in join_all(clients.collect::<Vec<_>>()).await {
        client.unwrap();
    }
}

#[tokio::test]
async fn a_shared_answer_counts_for_each_request_that_has_it() {
    let pool = pool().await;
    sqlx::query("UPDATE tb_post SET content = repeat('x', 100000)")
        .execute(&pool)
        .await
        .unwrap();
    sync_all_posts(&pool).await.unwrap();
    // About one megabyte each, of which the endpoint may hold three: the last quarter is for small ones.
    let site = Site::limited(&pool, |endpoint| {
        endpoint.max_response(4 << 20).max_in_flight(4 << 20)
    });
    let list = "{ posts { id title content } }";
    assert!(site.ask(1, list, json!({})).await["data"].is_object());
    for _ in 0..3 {
        // All are held until the last one is there.
        let responses = join_all((0..12).map(|_| site.send(1, list, json!({})))).await;
        let answers = join_all(responses.into_iter().map(received)).await;
        let (full, refused): (Vec<_>, Vec<_>) = answers
            .iter()
            .partition(|answer| answer["data"].is_object());
        assert!((1..=3).contains(&full.len()), "{}", full.len());
        for answer in refused {
            let code = &answer["errors"][0]["extensions"]["code"];
            assert_eq!(code, "OVERLOADED", "{answer}");
        }
        // All is given back.
        assert!(site.ask(1, list, json!({})).await["data"].is_object());
    }
}
