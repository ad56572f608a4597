//! Clients whose connections end again and again, over both protocols: in the end they show what is stored.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use fraiseql_graphql::http::GraphQl;
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::Value;
use sqlx::PgPool;
use tokio::sync::watch;

use super::events::Events;
use super::sockets::Socket;
use super::{Listening, sync_post, world};

const POSTS: i64 = 60;
const CLIENTS: u64 = 16;
const RESTARTS: u64 = 100;

const CHANGES: &str = "subscription { postChanged { kind id document { title } } }";
const LIST: &str = "subscription { posts(limit: 100) { id title } }";

/// A stream of one of the protocols.
enum Stream {
    Socket(Box<Socket>),
    Events(Box<Events>),
}

impl Stream {
    /// The data of the next element. `None` at the end of the connection.
    async fn next(&mut self) -> Option<Value> {
        let mut element = match self {
            Self::Socket(socket) => {
                let mut message = socket
                    .try_receive()
                    .await
                    .filter(|it| it["type"] == "next")?;
                message["payload"].take()
            }
            Self::Events(events) => events.next().await.filter(|(name, _)| name == "next")?.1,
        };
        assert!(
            element["errors"].is_null() || !element["data"].is_null(),
            "{element}"
        );
        Some(element["data"].take())
    }
}

/// A client of the server that runs at the moment.
struct Client {
    number: u64,
    server: watch::Receiver<Arc<Listening>>,
    pool: PgPool,
    picture: BTreeMap<i64, String>,
}

impl Client {
    async fn connect(&self) -> Option<Stream> {
        let server = Arc::clone(&self.server.borrow());
        let query = if self.number % 4 < 2 { CHANGES } else { LIST };
        // The server may have stopped.
        if self.number.is_multiple_of(2) {
            let mut socket = Socket::try_connect(&server).await?;
            socket.subscribe("a", query).await;
            Some(Stream::Socket(Box::new(socket)))
        } else {
            let events = Events::try_get(&server, query).await?;
            Some(Stream::Events(Box::new(events)))
        }
    }

    async fn stored(&self) -> BTreeMap<i64, String> {
        let sql = "SELECT id, data->>'title' FROM tv_post";
        let rows: Vec<(i64, String)> = sqlx::query_as(sql).fetch_all(&self.pool).await.unwrap();
        rows.into_iter().collect()
    }

    async fn take(&mut self, data: &Value) {
        let title = |document: &Value| document["title"].as_str().unwrap().to_owned();
        if let Some(posts) = data["posts"].as_array() {
            let posts = posts.iter();
            self.picture = posts
                .map(|post| (post["id"].as_i64().unwrap(), title(post)))
                .collect();
            return;
        }
        let change = &data["postChanged"];
        match (change["kind"].as_str().unwrap(), change["id"].as_i64()) {
            ("CHANGED", Some(id)) => {
                self.picture.insert(id, title(&change["document"]));
            }
            ("DELETED", Some(id)) => {
                self.picture.remove(&id);
            }
            ("RESET", None) => self.picture = self.stored().await,
            _ => panic!("{change}"),
        }
    }

    /// Follows until its picture is what is stored, after everybody has stopped. Returns the number of connections.
    async fn run(mut self, settled: Arc<AtomicBool>) -> u64 {
        let (mut connections, mut deadline) = (0, None);
        loop {
            let Some(mut stream) = self.connect().await else {
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            };
            connections += 1;
            loop {
                tokio::select! {
                    data = stream.next() => match data {
                        Some(data) => self.take(&data).await,
                        None => break,
                    },
                    () = tokio::time::sleep(Duration::from_millis(50)) => {
                        if !settled.load(Ordering::Relaxed) {
                            continue;
                        }
                        if self.picture == self.stored().await {
                            return connections;
                        }
                        let deadline = deadline.get_or_insert_with(|| Instant::now() + Duration::from_secs(20));
                        assert!(Instant::now() < *deadline, "client {}", self.number);
                    }
                }
            }
        }
    }
}

async fn write(pool: PgPool, seed: u64, stop: Arc<AtomicBool>, writes: Arc<AtomicU64>) {
    let mut rng = SmallRng::seed_from_u64(seed);
    while !stop.load(Ordering::Relaxed) {
        let id = rng.random_range(1..=POSTS);
        let sql = match rng.random_bool(0.2) {
            true => "DELETE FROM tb_post WHERE id = $1 AND $2 <> ''",
            false => {
                "INSERT INTO tb_post (id, title, author_id) VALUES ($1, $2, 1)
                 ON CONFLICT (id) DO UPDATE SET title = EXCLUDED.title"
            }
        };
        let title = writes.fetch_add(1, Ordering::Relaxed).to_string();
        let query = sqlx::query(sql).bind(id).bind(title);
        query.execute(&pool).await.unwrap();
        sync_post(&pool, &[id]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(rng.random_range(0..15))).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_hundred_restarts_clients_show_what_is_stored() {
    let world = world().await;
    let endpoint = GraphQl::new(world.schema.clone());
    let start = async || Arc::new(Listening::start(endpoint.clone()).await);
    let (servers, server) = watch::channel(start().await);
    let (stop, settled) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicBool::new(false)),
    );
    let writes = Arc::new(AtomicU64::new(0));
    let mut clients = tokio::task::JoinSet::new();
    for number in 0..CLIENTS {
        let client = Client {
            number,
            server: server.clone(),
            pool: world.pool.clone(),
            picture: BTreeMap::new(),
        };
        clients.spawn(client.run(Arc::clone(&settled)));
    }
    let mut writers = tokio::task::JoinSet::new();
    for seed in 0..2 {
        let (stop, writes) = (Arc::clone(&stop), Arc::clone(&writes));
        writers.spawn(write(world.pool.clone(), seed, stop, writes));
    }
    let mut rng = SmallRng::seed_from_u64(9);
    for restart in 0..RESTARTS {
        tokio::time::sleep(Duration::from_millis(rng.random_range(10..90))).await;
        let next = start().await;
        let last = servers.send_replace(next);
        drop(last);
        if restart % 10 == 0 {
            let sql = "UPDATE fraiseql_feed SET pruned = pg_snapshot_xmax(pg_current_snapshot()) WHERE name = ''";
            fraiseql_tests::run(&world.pool, sql).await;
        }
    }
    stop.store(true, Ordering::Relaxed);
    while let Some(ended) = writers.join_next().await {
        ended.unwrap();
    }
    settled.store(true, Ordering::Relaxed);
    let mut connections = 0;
    while let Some(ended) = clients.join_next().await {
        connections += ended.unwrap();
    }
    assert!(connections > CLIENTS * 5, "{connections}");
    assert!(writes.load(Ordering::Relaxed) > 100, "{writes:?}");
    assert!(world.feed.health().resets > 2, "{:?}", world.feed.health());
}
