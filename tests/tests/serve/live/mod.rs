//! Tests of subscriptions: what they send, and by which protocols.

mod clients;
mod events;
mod reconnects;
mod schema;
mod sockets;
mod tenants;

use std::net::SocketAddr;
use std::time::Duration;

use async_graphql::{EmptyMutation, Schema};
use axum::Router;
use fraiseql_graphql::http::{GraphQl, Server};
use fraiseql_graphql::{Prepared, Query, Subscription};
use fraiseql_runtime::feed::Feed;
use fraiseql_runtime::{Embed, ReadModel, TView};
use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

#[derive(Debug, TView)]
#[allow(dead_code)]
struct Post {
    id: i64,
    #[tview(filter, sort)]
    title: String,
    words: Option<i32>,
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

/// A document of the type `json`, with a key of several columns.
#[derive(Debug, TView)]
#[tview(data = "json")]
#[allow(dead_code)]
struct Line {
    #[tview(key)]
    order_id: i32,
    #[tview(key)]
    product: String,
    quantity: i32,
}

const TABLES: &str = "
    CREATE TABLE tb_user (id int8 PRIMARY KEY, name text NOT NULL);
    CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL, words int4, author_id int8 NOT NULL REFERENCES tb_user);
    CREATE TABLE tb_line (order_id int4, product text, quantity int4 NOT NULL, PRIMARY KEY (order_id, product));
    INSERT INTO tb_user VALUES (1, 'Ada'), (2, 'Bob');
    INSERT INTO tb_post SELECT i, 'Post ' || i, i, i % 2 + 1 FROM generate_series(1, 9) AS i;
    INSERT INTO tb_line VALUES (1, 'pen', 3), (1, 'a \"b\"', 4);
";

type Views = (Post, Line);
type Served = Schema<Query<Views>, EmptyMutation, Subscription<Views>>;

struct World {
    pool: PgPool,
    feed: Feed,
    schema: Served,
}

async fn world() -> World {
    let pool = fraiseql_tests::pool().await;
    fraiseql_tests::run(&pool, TABLES).await;
    let builder = ReadModel::builder().view::<Post>().view::<Line>();
    let model = builder.feed().build().unwrap();
    model.migrate(&pool).await.unwrap();
    model.sync_all(&pool).await.unwrap();
    let feed = model.feed(&pool).start().await.unwrap();
    let query = Query::new(pool.clone());
    let schema = Schema::build(query, EmptyMutation, Subscription::new(feed.clone()))
        .extension(Prepared::default())
        .finish();
    World { pool, feed, schema }
}

impl World {
    /// Gives a post another title.
    async fn title(&self, id: i64, title: &str) {
        let sql = "UPDATE tb_post SET title = $2 WHERE id = $1";
        let update = sqlx::query(sql).bind(id).bind(title);
        update.execute(&self.pool).await.unwrap();
        sync_post(&self.pool, &[id]).await.unwrap();
    }

    async fn serve(&self) -> Listening {
        Listening::start(GraphQl::new(self.schema.clone())).await
    }
}

/// A server with an endpoint at `/graphql`.
struct Listening {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Listening {
    async fn start<E: async_graphql::Executor>(endpoint: GraphQl<E>) -> Self {
        let router = Router::new().route_service("/graphql", endpoint);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            let stopped = async {
                let _ = stopped.await;
            };
            Server::new().serve(listener, router, stopped).await;
        });
        Self {
            address,
            stop: Some(stop),
            task,
        }
    }

    fn url(&self, scheme: &str) -> String {
        format!("{scheme}://{}/graphql", self.address)
    }

    /// Shuts down, and waits until all connections have ended.
    async fn shut_down(mut self) {
        drop(self.stop.take());
        soon(&mut self.task).await.unwrap();
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The result of something that must not take long.
async fn soon<F: Future>(future: F) -> F::Output {
    let done = tokio::time::timeout(Duration::from_secs(20), future);
    done.await.expect("it does not come")
}
