//! Tests of `ETag`, `If-None-Match` and 304 over HTTP.

mod bodies;
mod headers;
mod parts;
mod polling;
mod refusals;
mod versions;

use async_graphql::{
    CacheControl, Context, EmptySubscription, MergedObject, Object, Schema, SchemaBuilder,
};
use axum::http::StatusCode;
use fraiseql_graphql::http::GraphQl;
use fraiseql_graphql::{Prepared, Views};
use fraiseql_runtime::{ReadModel, Readers, TView};
use fraiseql_tests::executed::Executed;
use fraiseql_tests::web::{Answer, Server};
use sqlx::{AssertSqlSafe, PgPool};

use crate::traced::Traced;

const TABLES: &str = "
CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL, content text NOT NULL);
CREATE TABLE tb_ticket (org_id int4, no int4, title text NOT NULL, PRIMARY KEY (org_id, no));
INSERT INTO tb_post SELECT n, 'Post ' || n, 'Content ' || n FROM generate_series(1, 9) AS n;
INSERT INTO tb_ticket SELECT o, n, o || '/' || n FROM generate_series(1, 2) AS o, generate_series(1, 3) AS n;
";

#[derive(Debug, TView)]
#[allow(dead_code)]
struct Post {
    id: i64,
    #[tview(filter, sort)]
    title: String,
    content: String,
}

/// The same, built when it is read.
#[derive(Debug, TView)]
#[tview(table = "tb_post", storage = "live")]
#[allow(dead_code)]
struct Draft {
    id: i64,
    title: String,
}

#[derive(Debug, TView)]
#[allow(dead_code)]
struct Ticket {
    #[tview(key, tenant)]
    org_id: i32,
    #[tview(key)]
    no: i32,
    title: String,
}

struct Own;

#[Object]
impl Own {
    async fn version(&self) -> i32 {
        1
    }

    /// A response that must not be stored.
    async fn secret(&self, ctx: &Context<'_>) -> i32 {
        ctx.insert_http_header("cache-control", "private, no-store");
        2
    }

    /// A response with a tag of the application.
    async fn tagged(&self, ctx: &Context<'_>) -> i32 {
        ctx.insert_http_header("etag", "\"own\"");
        3
    }

    async fn cookie(&self, ctx: &Context<'_>) -> i32 {
        ctx.append_http_header("set-cookie", "a=1");
        ctx.append_http_header("content-language", "en");
        4
    }

    async fn broken(&self) -> async_graphql::Result<Option<i32>> {
        Err(async_graphql::Error::new("broken"))
    }
}

struct Mutation;

#[Object]
impl Mutation {
    async fn nothing(&self) -> i32 {
        0
    }
}

#[derive(MergedObject)]
struct Query(Views<(Post, Draft)>, Views<(Ticket,)>, Own);

type Served = Schema<Query, Mutation, EmptySubscription>;

/// The tenant of a request.
#[derive(Clone)]
struct Org(i32);

fn schema(pool: &PgPool, prepared: Prepared) -> SchemaBuilder<Query, Mutation, EmptySubscription> {
    let a_minute = CacheControl {
        public: true,
        max_age: 60,
    };
    let views = Views::new(Readers::lending(pool.clone())).cache::<Post>(a_minute);
    let tickets = Views::scoped(pool.clone(), |ctx| ctx.data::<Org>().map(|org| org.0));
    Schema::build(Query(views, tickets, Own), Mutation, EmptySubscription)
        .extension(prepared.validate_once(true).direct(true))
}

/// The endpoint of a schema. It takes the tenant from a header, and refuses clients with another one.
fn endpoint(schema: Served) -> GraphQl<Served> {
    GraphQl::new(schema).with_data(|parts| {
        let header = |name| parts.headers.get(name).and_then(|it| it.to_str().ok());
        let org = header("x-org").and_then(|org| org.parse().ok());
        let is_banned = header("x-banned").is_some();
        async move {
            match is_banned {
                true => Err(StatusCode::FORBIDDEN),
                false => Ok(Org(org.unwrap_or(1))),
            }
        }
    })
}

/// An endpoint on a server, and its database.
struct Site {
    server: Server,
    executed: Executed,
    pool: PgPool,
}

async fn database() -> PgPool {
    let pool = fraiseql_tests::pool().await;
    fraiseql_tests::run(&pool, TABLES).await;
    let model = ReadModel::builder().view::<Post>().view::<Ticket>();
    let model = model.view::<Draft>().build().unwrap();
    model.migrate(&pool).await.unwrap();
    model.sync_all(&pool).await.unwrap();
    pool
}

impl Site {
    async fn start() -> Self {
        Self::over(database().await, |endpoint| endpoint).await
    }

    async fn over(
        pool: PgPool,
        configure: impl FnOnce(GraphQl<Served>) -> GraphQl<Served>,
    ) -> Self {
        let executed = Executed::default();
        let schema = schema(&pool, Prepared::default());
        let schema = schema.extension(executed.clone()).finish();
        Self {
            server: Server::start(configure(endpoint(schema))).await,
            executed,
            pool,
        }
    }

    async fn get(&self, query: &str, headers: &[&str]) -> Answer {
        get(&self.server, &[("query", query)], headers).await
    }

    /// The response to a query that is answered directly, if it can be.
    async fn direct(&self, query: &str) -> Answer {
        assert_eq!(self.get(query, &[]).await.status, 200);
        self.get(query, &[]).await
    }

    /// The response to a client with a tag.
    async fn unless(&self, query: &str, tag: &str) -> Answer {
        self.get(query, &[&format!("If-None-Match: {tag}")]).await
    }

    /// Runs a statement on the base tables, and syncs.
    async fn change(&self, sql: &str) {
        let ran = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        ran.execute(&self.pool).await.unwrap();
        sync_all_posts(&self.pool).await.unwrap();
        sync_all_tickets(&self.pool).await.unwrap();
    }
}

async fn get(server: &Server, parameters: &[(&str, &str)], headers: &[&str]) -> Answer {
    let parameters = parameters.iter();
    let parameters = parameters.map(|(name, value)| format!("{name}={}", encoded(value)));
    let parameters: Vec<String> = parameters.collect();
    let start = format!("GET /graphql?{}", parameters.join("&"));
    server.request(&start, headers, b"").await
}

/// A text in a URL.
fn encoded(text: &str) -> String {
    let bytes = text.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    });
    bytes.collect()
}

fn tag(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let tag = answer.header("etag");
    assert!(tag.starts_with("W/\"") && tag.ends_with('"'), "{tag}");
    tag
}

/// Whether a tag is made of versions, and not of the body.
fn is_of_versions(tag: &str) -> bool {
    tag.contains('-')
}

/// The statements that were sent since the last call.
fn statements(traced: &Traced) -> Vec<String> {
    let mut events = traced.take();
    events.retain(|event| event.contains(" sql="));
    events
}
