//! How long a response may be cached: `Cache-Control`, of the hints of its root fields, and the same in direct answers.

use async_graphql::{CacheControl, EmptyMutation, EmptySubscription, MergedObject, Object, Schema};
use axum::http::Request;
use axum::http::header::{CACHE_CONTROL, VARY};
use fraiseql_graphql::http::GraphQl;
use fraiseql_graphql::{Prepared, Query, TvExtended, Views};
use fraiseql_runtime::{Embed, ReadModel, TView};
use fraiseql_tests::executed::Executed;
use serde_json::{Value, json};
use sqlx::PgPool;
use tower_service::Service as _;

const TABLES: &str = "
CREATE TABLE tb_post (id int4 PRIMARY KEY, title text NOT NULL);
CREATE TABLE tb_user (id int4 PRIMARY KEY, name text NOT NULL);
CREATE TABLE tb_draft (id int4 PRIMARY KEY);
CREATE TABLE tb_ticket (id int4 PRIMARY KEY, org_id int4 NOT NULL);
INSERT INTO tb_post VALUES (7, 'Notes'), (8, 'More');
INSERT INTO tb_user VALUES (1, 'Ada');
INSERT INTO tb_draft VALUES (1);
INSERT INTO tb_ticket VALUES (1, 1), (2, 2);
";

#[derive(Debug, TView)]
#[allow(dead_code)]
struct Post {
    id: i32,
    title: String,
}

#[derive(Debug, TView)]
#[allow(dead_code)]
struct User {
    id: i32,
    name: String,
}

/// A view without a hint.
#[derive(Debug, TView)]
#[allow(dead_code)]
struct Draft {
    id: i32,
}

#[derive(Debug, TView)]
#[allow(dead_code)]
struct Ticket {
    id: i32,
    #[tview(tenant)]
    org_id: i32,
}

/// Fields of the application in posts.
#[derive(Embed)]
#[tview(table = "tb_post", shape_of = Post)]
struct PostFields {
    id: i32,
}

#[Object]
impl PostFields {
    async fn is_mine(&self) -> bool {
        self.id == 7
    }
}

struct Own;

#[Object]
impl Own {
    async fn version(&self) -> i32 {
        1
    }

    #[graphql(cache_control(max_age = 10))]
    async fn motto(&self) -> &str {
        "slowly"
    }

    #[graphql(cache_control(max_age = 10))]
    async fn broken(&self) -> async_graphql::Result<Option<i32>> {
        Err("broken".into())
    }

    #[graphql(cache_control(no_cache))]
    async fn now(&self) -> i32 {
        2
    }
}

#[derive(MergedObject)]
#[graphql(name = "Query")]
struct Root(Views<(Post, User, Draft)>, Views<(Ticket,)>, Own);

const fn hint(max_age: i32, public: bool) -> CacheControl {
    CacheControl { public, max_age }
}

fn root(pool: &PgPool) -> Root {
    let views = Views::new(pool.clone());
    let views = views
        .cache::<Post>(hint(5, true))
        .cache::<User>(hint(30, false))
        .cache::<Post>(hint(60, true));
    let tickets = Views::scoped(pool.clone(), |ctx| ctx.data::<i32>().copied());
    // It is public for nobody.
    Root(views, tickets.cache::<Ticket>(hint(40, true)), Own)
}

/// An endpoint that answers directly, and one that does not.
struct Both {
    direct: axum::Router,
    plain: axum::Router,
    executed: Executed,
    pool: PgPool,
}

/// What a client is told.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    cache: String,
    vary: Vec<String>,
}

impl Both {
    async fn new() -> Self {
        let pool = fraiseql_tests::pool().await;
        fraiseql_tests::run(&pool, TABLES).await;
        let model = ReadModel::builder().view::<Post>().view::<User>();
        let model = model.view::<Draft>().view::<Ticket>().build().unwrap();
        model.migrate(&pool).await.unwrap();
        model.sync_all(&pool).await.unwrap();
        let executed = Executed::default();
        let router = |prepared: Prepared, executed: Executed| {
            let schema = Schema::build(root(&pool), EmptyMutation, EmptySubscription)
                .register_output_type::<TvExtended<Post, PostFields>>()
                .extension(executed)
                .extension(prepared)
                .finish();
            let endpoint = GraphQl::new(schema)
                .with_data(|_| async { Ok::<_, axum::http::StatusCode>(1_i32) });
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

    /// Sends a request three times, and returns the header of all responses, and whether the last of them was direct.
    async fn ask(&mut self, body: Value) -> (String, bool) {
        let expected = send(&mut self.plain, &body).await;
        let mut was_direct = false;
        for _ in 0..2 {
            let before = self.executed.count();
            assert_eq!(send(&mut self.direct, &body).await, expected, "{body}");
            was_direct = self.executed.count() == before;
        }
        // A response that may be cached is another one for a client that has to see what it has changed.
        let varies = expected.vary.iter().any(|vary| vary == "fraiseql-position");
        assert_eq!(varies, !expected.cache.is_empty(), "{expected:?}");
        (expected.cache, was_direct)
    }
}

async fn send(app: &mut axum::Router, body: &Value) -> Told {
    let request = Request::post("/").header("content-type", "application/json");
    let request = request.body(body.to_string()).unwrap();
    let answer = app.call(request).await.unwrap();
    let header = |name| {
        let values = answer.headers().get_all(name).into_iter();
        values
            .map(|value| value.to_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    Told {
        cache: header(CACHE_CONTROL).join(" | "),
        vary: header(VARY),
    }
}

#[tokio::test]
async fn a_response_may_be_cached_as_long_as_each_of_its_root_fields() {
    let mut both = Both::new().await;
    for (query, header, is_direct) in [
        ("{ posts { id } }", "max-age=60", true),
        (
            "{ a: post(id: 7) { title } b: post(id: 9) { id } }",
            "max-age=60",
            true,
        ),
        (
            "{ ...all } fragment all on Query { postsConnection { nodes { id } } }",
            "max-age=60",
            true,
        ),
        ("{ __typename posts { id } }", "max-age=60", false),
        (
            "{ posts { id } users { name } }",
            "max-age=30, private",
            true,
        ),
        ("{ posts { id } motto }", "max-age=10", false),
        ("{ motto }", "max-age=10", false),
        ("{ posts { id } now }", "no-cache", false),
        // The tenant's documents are for its clients only.
        ("{ tickets { id } }", "max-age=40, private", true),
        (
            "{ posts { id } tickets { id } }",
            "max-age=40, private",
            true,
        ),
        // Without a hint, nothing is cached.
        ("{ drafts { id } }", "", true),
        ("{ posts { id } drafts { id } }", "", true),
        ("{ posts { id } version }", "", false),
        (
            "{ posts { id } __schema { queryType { name } } }",
            "",
            false,
        ),
        ("{ version }", "", false),
        ("{ posts { id isMine } }", "", false),
        ("{ posts { id isMine } users { id } }", "private", false),
        // Nor is an error.
        ("{ posts(limit: 1000) { id } }", "", false),
        ("{ posts { id } broken }", "", false),
    ] {
        let told = both.ask(json!({ "query": query })).await;
        assert_eq!(told, (header.to_owned(), is_direct), "{query}");
    }
    both.pool.close().await;
}

#[tokio::test]
async fn fields_that_a_request_skips_do_not_count() {
    let mut both = Both::new().await;
    let query = "query ($drafts: Boolean!, $users: Boolean!) {
        posts { id } drafts @include(if: $drafts) { id } users @include(if: $users) { id }
    }";
    for (drafts, users, header) in [
        (false, false, "max-age=60"),
        (true, false, ""),
        (false, true, "max-age=30, private"),
        (true, true, "private"),
        (false, false, "max-age=60"),
    ] {
        let variables = json!({ "drafts": drafts, "users": users });
        let body = json!({ "query": query, "variables": variables });
        let (told, was_direct) = both.ask(body).await;
        assert_eq!(told, header, "{variables}");
        assert!(was_direct, "{variables}");
    }
    both.pool.close().await;
}

#[tokio::test]
#[should_panic(expected = "`User` has a cache hint, and is none of these views")]
async fn a_hint_for_another_view_is_a_mistake() {
    let pool = PgPool::connect_lazy("postgres://").unwrap();
    let _ = Query::<(Post,)>::new(pool).cache::<User>(hint(60, true));
}
