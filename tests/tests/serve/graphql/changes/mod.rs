//! A mutation answers with the documents that it has changed.

mod documents;
mod incomplete;
mod tenants;

use async_graphql::{EmptySubscription, Object, Request, Response, Schema, SimpleObject};
use fraiseql_graphql::{Prepared, Query, TvChanges};
use fraiseql_runtime::mutation::{Limits, OverLimit};
use fraiseql_runtime::{Capture, Embed, ReadModel, TView};
use serde_json::Value;
use sqlx::{AssertSqlSafe, PgPool};

const TABLES: &str = "
CREATE TABLE tb_user (id int8 PRIMARY KEY, name text NOT NULL);
CREATE TABLE tb_post (id int4 PRIMARY KEY, title text NOT NULL, author_id int8 NOT NULL);
CREATE INDEX ON tb_post (author_id);
CREATE TABLE tb_line (order_id int4, product text, quantity int4 NOT NULL, PRIMARY KEY (order_id, product));
INSERT INTO tb_user VALUES (1, 'Ada'), (2, 'Grace');
INSERT INTO tb_post SELECT n, 'Post ' || n, 1 + n % 2 FROM generate_series(1, 8) AS n;
INSERT INTO tb_line VALUES (1, 'pen', 2), (1, 'ink', 3);
";

#[derive(Debug, TView)]
#[allow(dead_code)]
struct Post {
    id: i32,
    title: String,
    #[tview(one(fk = "author_id"))]
    author: Author,
}

#[derive(Debug, Embed)]
#[tview(table = "tb_user")]
#[allow(dead_code)]
struct Author {
    id: i64,
    name: String,
}

#[derive(Debug, TView)]
#[allow(dead_code)]
struct User {
    id: i64,
    name: String,
    #[tview(count(table = "tb_post", fk = "author_id"))]
    posts: i64,
}

#[derive(Debug, TView)]
#[allow(dead_code)]
struct Line {
    #[tview(key)]
    order_id: i32,
    #[tview(key)]
    product: String,
    quantity: i32,
}

type Set = (Post, User, Line);
type Served = Schema<Query<Set>, Mutation, EmptySubscription>;

struct Mutation {
    model: ReadModel,
    pool: PgPool,
    /// Where documents are read.
    readers: PgPool,
}

/// What the application returns beside changes.
#[derive(SimpleObject)]
struct Payload {
    ok: bool,
    changes: TvChanges<Set>,
}

#[Object]
impl Mutation {
    /// Runs a statement that changes these rows.
    #[allow(clippy::too_many_arguments)]
    async fn run(
        &self,
        sql: String,
        #[graphql(default)] posts: Vec<i32>,
        #[graphql(default)] users: Vec<i64>,
        #[graphql(default)] line: Option<String>,
        #[graphql(default)] defer: bool,
        #[graphql(default = 100)] max: u32,
    ) -> async_graphql::Result<Payload> {
        let mut m = self.model.mutation(&self.pool).await?;
        m.changing::<Post>(&posts).await?;
        m.changing::<User>(&users).await?;
        if let Some(product) = line {
            m.changing::<Line>(&[(1, product)]).await?;
        }
        if defer {
            m.defer();
        }
        sqlx::query(AssertSqlSafe(sql)).execute(&mut *m).await?;
        let report = m.commit().await?;
        Ok(Payload {
            ok: true,
            changes: TvChanges::new(report, self.readers.clone()).max_documents(max),
        })
    }
}

async fn world() -> (ReadModel, PgPool) {
    world_with(Capture::Off).await
}

async fn world_with(capture: Capture) -> (ReadModel, PgPool) {
    let pool = fraiseql_tests::pool().await;
    fraiseql_tests::run(&pool, TABLES).await;
    let limits = Limits {
        documents: 20,
        over_limit: OverLimit::Defer,
        ..Limits::default()
    };
    let model = ReadModel::builder().view::<Post>().view::<User>();
    let model = model
        .view::<Line>()
        .limits(limits)
        .capture(capture)
        .build()
        .unwrap();
    model.migrate(&pool).await.unwrap();
    model.sync_all(&pool).await.unwrap();
    (model, pool)
}

fn schema(model: &ReadModel, pool: &PgPool, readers: &PgPool, prepared: Prepared) -> Served {
    let mutation = Mutation {
        model: model.clone(),
        pool: pool.clone(),
        readers: readers.clone(),
    };
    Schema::build(Query::new(pool.clone()), mutation, EmptySubscription)
        .extension(prepared)
        .finish()
}

async fn served() -> (Served, PgPool) {
    let (model, pool) = world().await;
    (schema(&model, &pool, &pool, Prepared::default()), pool)
}

fn json(response: &Response) -> Value {
    serde_json::to_value(response).unwrap()
}

/// The answer to `mutation { run(..) { changes { .. } } }`.
async fn changes(schema: &Served, arguments: &str, selected: &str) -> Value {
    let query = format!("mutation {{ run({arguments}) {{ changes {{ {selected} }} }} }}");
    let response = schema.execute(Request::new(query)).await;
    assert!(response.errors.is_empty(), "{:?}", response.errors);
    json(&response)["data"]["run"]["changes"].take()
}
