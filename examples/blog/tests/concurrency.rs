//! Concurrent clients, and shutdown under load.
//!
//! `BLOG_SOAK=600 cargo test --release -p blog --test concurrency -- --nocapture sixteen` runs for
//! ten minutes, and prints latencies and the program's memory for each tenth of that time.

mod support;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use fraiseql_runtime::Capture;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};
use sqlx::PgPool;
use support::{Blog, eventually};

/// The values of `--capture`.
const MODES: [(&str, Capture); 3] = [
    ("off", Capture::Off),
    ("queue", Capture::Queue),
    ("at-commit", Capture::AtCommit),
];
const CLIENTS: u64 = 16;
/// Operations of each client.
const OPERATIONS: usize = 40;

/// Rows that the clients know, and counts of their responses.
#[derive(Default)]
struct SharedState {
    users: Mutex<Vec<String>>,
    /// With the version that was read last, by any client.
    posts: Mutex<Vec<(String, i64)>>,
    comments: Mutex<Vec<String>>,
    /// Counts by operation and outcome: `data`, or the code of the error.
    outcomes: Mutex<BTreeMap<(&'static str, String), usize>>,
}

fn pick<T: Clone>(of: &Mutex<Vec<T>>, rng: &mut SmallRng) -> Option<T> {
    of.lock().unwrap().choose(rng).cloned()
}

/// Name, query and variables.
type Operation = (&'static str, &'static str, Value);

/// A random operation on rows that other clients use too. `None` if there is no such row yet.
fn operation(known: &SharedState, rng: &mut SmallRng) -> Option<Operation> {
    let user = pick(&known.users, rng)?;
    let (post, version) = pick(&known.posts, rng)?;
    let comment = pick(&known.comments, rng);
    let n: u32 = rng.random_range(0..40);
    #[rustfmt::skip]
    let operation = match rng.random_range(0..22) {
        0 => ("createUser", "mutation ($n: String!) { createUser(username: $n, fullName: $n) { id } }", json!({"n": format!("user {n}")})),
        1 => ("updateUser", "mutation ($u: ID!, $n: String!) { updateUser(id: $u, fullName: $n) { id } }", json!({"u": user, "n": format!("Name {n}")})),
        2 => ("updateUser", "mutation ($u: ID!, $n: String!) { updateUser(id: $u, bio: $n) { id } }", json!({"u": user, "n": format!("{n}")})),
        3 | 4 => ("createPost", "mutation ($u: ID!) { createPost(authorId: $u, title: \"One\", content: \"\") { id version } }", json!({"u": user})),
        5 => ("createPosts", "mutation ($u: ID!) { createPosts(authorId: $u, posts: [{title: \"A\", content: \"\"}, {title: \"B\", content: \"\"}]) { id version } }", json!({"u": user})),
        6 | 7 => ("updatePost", "mutation ($p: ID!, $v: Int!) { updatePost(id: $p, version: $v, content: \"More\") { id version } }", json!({"p": post, "v": version - i64::from(n < 10)})),
        8 => ("publishPost", "mutation ($p: ID!) { publishPost(id: $p) { id version } }", json!({"p": post})),
        9 => ("deletePost", "mutation ($p: ID!) { deletePost(id: $p) { id } }", json!({"p": post})),
        10 if n < 12 => ("deleteUser", "mutation ($u: ID!) { deleteUser(id: $u) { posts { title } deleted { type } } }", json!({"u": user})),
        10..=12 => ("createComment", "mutation ($p: ID!, $u: ID!) { createComment(postId: $p, authorId: $u, content: \"Hm.\") { id } }", json!({"p": post, "u": user})),
        13 => ("deleteComment", "mutation ($c: ID!) { deleteComment(id: $c) { id } }", json!({"c": comment?})),
        14 => ("moveComment", "mutation ($c: ID!, $p: ID!) { moveComment(id: $c, postId: $p) { id } }", json!({"c": comment?, "p": post})),
        15 => ("tagPost", "mutation ($p: ID!, $t: [String!]!) { tagPost(id: $p, tags: $t) { id version } }", json!({"p": post, "t": [format!("tag {}", n % 7), format!("tag {}", n % 5)]})),
        16 | 17 => ("likePost", "mutation ($p: ID!, $u: ID!, $w: Boolean!) { likePost(id: $p, userId: $u, wait: $w) { id version } }", json!({"p": post, "u": user, "w": n < 20})),
        18 => ("posts", "{ posts(limit: 5, orderBy: {createdAt: DESC}) { id version title author { username fullName } comments { content author { username } } } }", json!({})),
        19 => ("post", "query ($p: ID!) { post(id: $p) { id version commentCount likeCount } }", json!({"p": post})),
        20 => ("user", "query ($u: ID!) { user(id: $u) { id publishedPostCount commentCount } }", json!({"u": user})),
        _ => ("postsConnection", "{ postsConnection(first: 10) { nodes { id version } } }", json!({})),
    };
    Some(operation)
}

impl SharedState {
    async fn from(pool: &PgPool) -> Self {
        let ids = async |sql: &'static str| -> Vec<String> {
            sqlx::query_scalar(sql).fetch_all(pool).await.unwrap()
        };
        let posts = ids("SELECT id::text FROM tb_post").await;
        Self {
            users: Mutex::new(ids("SELECT id::text FROM tb_user").await),
            posts: Mutex::new(posts.into_iter().map(|id| (id, 1)).collect()),
            comments: Mutex::new(ids("SELECT id::text FROM tb_comment").await),
            outcomes: Mutex::default(),
        }
    }

    /// Counts the outcome of an operation, and shares new rows and versions with all clients.
    fn record(&self, name: &'static str, response: &Value) {
        let outcome = match response["errors"][0]["extensions"]["code"].as_str() {
            Some(code) => code,
            None if response["errors"].is_null() => "data",
            None => "an error without a code",
        };
        let mut outcomes = self.outcomes.lock().unwrap();
        *outcomes.entry((name, outcome.to_owned())).or_default() += 1;
        let field = &response["data"][name];
        let rows = match field {
            Value::Array(rows) => rows.as_slice(),
            row => std::slice::from_ref(row),
        };
        for row in rows {
            let Some(id) = row["id"].as_str() else {
                continue;
            };
            match name {
                "createUser" => self.users.lock().unwrap().push(id.to_owned()),
                "createComment" => self.comments.lock().unwrap().push(id.to_owned()),
                _ => {
                    let Some(version) = row["version"].as_i64() else {
                        continue;
                    };
                    let mut posts = self.posts.lock().unwrap();
                    match posts.iter_mut().find(|(post, _)| post == id) {
                        Some((_, read)) => *read = version,
                        None => posts.push((id.to_owned(), version)),
                    }
                }
            }
        }
    }

    /// The number of responses with this outcome, of all operations.
    fn count(&self, outcome: &str) -> usize {
        let outcomes = self.outcomes.lock().unwrap();
        let matching = outcomes.iter().filter(|((_, other), _)| other == outcome);
        matching.map(|(_, count)| count).sum()
    }
}

/// A run for a given time, for `BLOG_SOAK`.
struct Soak {
    start: Instant,
    time: Duration,
    /// Start and duration of each operation, and the program's memory after it.
    samples: Mutex<Vec<(Duration, Duration, u64)>>,
}

impl Soak {
    fn from_env() -> Option<Self> {
        let seconds = std::env::var("BLOG_SOAK").ok()?;
        Some(Self {
            start: Instant::now(),
            time: Duration::from_secs(
                seconds
                    .parse()
                    .expect("BLOG_SOAK must be a number of seconds"),
            ),
            samples: Mutex::default(),
        })
    }

    fn is_running(&self) -> bool {
        self.start.elapsed() < self.time
    }

    fn sample(&self, start: Instant, resident: u64) {
        let sample = (start - self.start, start.elapsed(), resident);
        self.samples.lock().unwrap().push(sample);
    }

    /// Prints figures for each tenth of the time, and asserts that memory does not grow in the
    /// second half.
    fn report(self) {
        let samples = self.samples.into_inner().unwrap();
        println!("operations     median        p99     memory");
        let mut memory = Vec::new();
        for part in 0..10 {
            let (from, to) = (self.time * part / 10, self.time * (part + 1) / 10);
            let here = samples.iter().filter(|(at, ..)| (from..to).contains(at));
            let (mut took, resident): (Vec<Duration>, Vec<u64>) =
                here.map(|(_, took, resident)| (*took, *resident)).unzip();
            took.sort_unstable();
            let at =
                |hundredth: usize| took[(took.len() - 1) * hundredth / 100].as_secs_f64() * 1e3;
            let most = resident.into_iter().max().unwrap();
            let (count, half, most_took) = (took.len(), at(50), at(99));
            println!(
                "{count:>10} {half:>7.1} ms {most_took:>7.1} ms {:>7} kB",
                most / 1024
            );
            memory.push(most);
        }
        assert!(
            memory[9] < memory[4] + memory[4] / 4,
            "memory grows: {memory:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_are_synced_after_sixteen_concurrent_clients() {
    let blog = Blog::start(200).await;
    let known = SharedState::from(&blog.pool).await;
    let soak = Soak::from_env();
    let client = async |seed: u64| {
        let mut rng = SmallRng::seed_from_u64(seed);
        let mut done = 0;
        while soak.as_ref().map_or(done < OPERATIONS, Soak::is_running) {
            let Some((name, query, variables)) = operation(&known, &mut rng) else {
                continue;
            };
            let start = Instant::now();
            let response = blog.send(query, variables).await.unwrap();
            assert_eq!(response.status(), 200, "{name}");
            known.record(name, &response.json().await.unwrap());
            done += 1;
            if let Some(soak) = &soak {
                soak.sample(start, blog.resident());
            }
        }
    };
    futures_util::future::join_all((0..CLIENTS).map(client)).await;
    if let Some(soak) = soak {
        soak.report();
    }

    let outcomes = known.outcomes.lock().unwrap().clone();
    for ((name, outcome), count) in &outcomes {
        println!("{name:>16} {outcome:16} {count}");
        let is_expected = match outcome.as_str() {
            "data" | "NOT_FOUND" => true,
            "CONFLICT" => *name == "updatePost",
            "TAKEN" => *name == "createUser",
            _ => false,
        };
        assert!(is_expected, "{name}: {outcome}");
    }
    assert!(known.count("CONFLICT") > 0 && known.count("NOT_FOUND") > 0);
    assert!(known.count("data") > OPERATIONS * 8, "{outcomes:#?}");
    // Likes with `wait: false` may still be in the queue.
    eventually("every like is counted", async || {
        let sql = "SELECT NOT EXISTS (SELECT FROM tv_post AS v JOIN tb_post AS p ON p.id = v.id
            WHERE (v.data->>'likeCount')::int <>
                  (SELECT count(*) FROM tb_like WHERE fk_post = p.pk_post))";
        sqlx::query_scalar(sql).fetch_one(&blog.pool).await.unwrap()
    })
    .await;
    blog.assert_synced().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shutdown_answers_running_requests_and_counts_queued_likes() {
    let mut blog = Blog::start(100).await;
    let known = SharedState::from(&blog.pool).await;
    let answered = AtomicUsize::new(0);
    let client = async |seed: u64| {
        let mut rng = SmallRng::seed_from_u64(seed);
        loop {
            let Some((name, query, variables)) = operation(&known, &mut rng) else {
                continue;
            };
            // The program does not accept connections any more.
            let Ok(response) = blog.send(query, variables).await else {
                return;
            };
            assert_eq!(response.status(), 200);
            let response: Value = response
                .json()
                .await
                .expect("a response is not cut off by the shutdown");
            known.record(name, &response);
            answered.fetch_add(1, Ordering::Relaxed);
        }
    };
    let terminated = async {
        eventually("the clients are running", async || {
            answered.load(Ordering::Relaxed) > 100
        })
        .await;
        blog.terminate();
    };
    let clients = futures_util::future::join_all((0..CLIENTS).map(client));
    let all = async { tokio::join!(clients, terminated) };
    let all = tokio::time::timeout(Duration::from_secs(60), all).await;
    all.expect("the program does not exit");
    assert_eq!(known.count("INTERNAL"), 0);
    assert_eq!(blog.wait().code(), Some(0));
    blog.assert_synced().await;
}

#[tokio::test]
async fn an_idle_client_does_not_block_the_shutdown() {
    use tokio::io::AsyncWriteExt as _;
    let mut blog = Blog::start(0).await;
    let address = blog.url.strip_prefix("http://").unwrap();
    let _silent = tokio::net::TcpStream::connect(address).await.unwrap();
    let mut half = tokio::net::TcpStream::connect(address).await.unwrap();
    half.write_all(b"POST /graphql HTTP/1.1\r\nhost: a\r\n")
        .await
        .unwrap();
    // Connections are accepted in order, so both are accepted when this one is answered.
    blog.data("{ users { id } }", json!({})).await;
    blog.terminate();
    let ended = tokio::task::spawn_blocking(move || blog.wait());
    let ended = tokio::time::timeout(Duration::from_secs(40), ended).await;
    assert_eq!(ended.expect("no exit").unwrap().code(), Some(0));
}

/// In each mode, the like is in the table of changes when the process is killed. So any other worker counts it.
#[tokio::test]
async fn a_like_is_not_lost_when_the_program_is_killed() {
    for (mode, capture) in MODES {
        let mut blog = Blog::start_with(&["--posts", "3", "--capture", mode]).await;
        let post = blog.field("{ posts(limit: 1) { id } }", json!({})).await[0]["id"].take();
        let user = "mutation { createUser(username: \"ada\", fullName: \"Ada\") { id } }";
        let user = blog.field(user, json!({})).await["id"].take();
        let pool = blog.pool.clone();
        let count = async || -> i64 {
            let sql = "SELECT (data->>'likeCount')::int8 FROM tv_post WHERE id = $1::text::uuid";
            let query = sqlx::query_scalar(sql).bind(post.as_str());
            query.fetch_one(&pool).await.unwrap()
        };
        let before = count().await;
        let model = blog::views::read_model().capture(capture).build().unwrap();
        // Also the new user, whose row was captured.
        eventually("nothing is left", async || {
            model.changes(&pool).await.unwrap().pending == 0
        })
        .await;

        // The lock blocks the sync of the post, so the like is left when the program is killed.
        let mut tx = blog.pool.begin().await.unwrap();
        sqlx::query("SELECT FROM tv_post FOR UPDATE")
            .execute(&mut *tx)
            .await
            .unwrap();
        let query = "mutation ($id: ID!, $user: ID!) {
            likePost(id: $id, userId: $user, wait: false) { id }
        }";
        blog.data(query, json!({"id": post, "user": user})).await;
        blog.kill();
        tx.rollback().await.unwrap();
        // A session of the killed program may still run a batch that was sent before, and never commits it.
        eventually("the sessions end", async || {
            let sql = "SELECT count(*) = 0 FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()
                  AND query LIKE '%fraiseql_drain%' AND state <> 'idle'";
            sqlx::query_scalar(sql).fetch_one(&blog.pool).await.unwrap()
        })
        .await;
        assert_eq!(
            count().await,
            before,
            "{mode}: the like was counted already"
        );

        let changes = model.changes(&blog.pool).await.unwrap();
        assert!(
            changes.pending > 0 && changes.dead == 0,
            "{mode}: {changes}"
        );
        let report = model.worker(&blog.pool).drain().await.unwrap();
        assert_eq!(report.updated, 1, "{mode}: {report}");
        assert_eq!(count().await, before + 1, "{mode}");
        blog.assert_synced().await;
    }
}
