//! Many clients at once, and a program that is ended while they ask.
//!
//! `BLOG_SOAK=600 cargo test --release -p blog --test concurrency -- --nocapture sixteen` goes on for
//! ten minutes, and shows latencies and the memory of the program by the tenth part.

mod support;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};
use sqlx::PgPool;
use support::{Blog, eventually};

const CLIENTS: u64 = 16;
/// Of each client.
const OPERATIONS: usize = 40;

/// Rows that somebody has made, as far as is known.
#[derive(Default)]
struct Known {
    users: Mutex<Vec<String>>,
    /// With the version that was read last.
    posts: Mutex<Vec<(String, i64)>>,
    comments: Mutex<Vec<String>>,
    /// What came back, by operation: `data`, or the code of the error.
    answers: Mutex<BTreeMap<(&'static str, String), usize>>,
}

fn one<T: Clone>(of: &Mutex<Vec<T>>, rng: &mut SmallRng) -> Option<T> {
    of.lock().unwrap().choose(rng).cloned()
}

/// An operation, and its variables.
type Operation = (&'static str, &'static str, Value);

/// One of all that can be asked, about rows that others ask about, too.
fn operation(known: &Known, rng: &mut SmallRng) -> Option<Operation> {
    let user = one(&known.users, rng)?;
    let (post, version) = one(&known.posts, rng)?;
    let comment = one(&known.comments, rng);
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
        10 if n < 12 => ("deleteUser", "mutation ($u: ID!) { deleteUser(id: $u) }", json!({"u": user})),
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

impl Known {
    async fn from(pool: &PgPool) -> Self {
        let ids = async |sql: &'static str| -> Vec<String> {
            sqlx::query_scalar(sql).fetch_all(pool).await.unwrap()
        };
        let posts = ids("SELECT id::text FROM tb_post").await;
        Self {
            users: Mutex::new(ids("SELECT id::text FROM tb_user").await),
            posts: Mutex::new(posts.into_iter().map(|id| (id, 1)).collect()),
            comments: Mutex::new(ids("SELECT id::text FROM tb_comment").await),
            answers: Mutex::default(),
        }
    }

    /// What came of an operation. New rows, and versions that were read, are for everybody.
    fn learn(&self, name: &'static str, answer: &Value) {
        let outcome = match answer["errors"][0]["extensions"]["code"].as_str() {
            Some(code) => code,
            None if answer["errors"].is_null() => "data",
            None => "an error without a code",
        };
        let mut answers = self.answers.lock().unwrap();
        *answers.entry((name, outcome.to_owned())).or_default() += 1;
        let field = &answer["data"][name];
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

    /// How often this came back, of whatever operation.
    fn count(&self, outcome: &str) -> usize {
        let answers = self.answers.lock().unwrap();
        let of_it = answers.iter().filter(|((_, told), _)| told == outcome);
        of_it.map(|(_, count)| count).sum()
    }
}

/// A load that goes on for a while.
struct Soak {
    start: Instant,
    time: Duration,
    /// When each operation began, how long it took, and what the program then had in memory.
    samples: Mutex<Vec<(Duration, Duration, u64)>>,
}

impl Soak {
    fn asked_for() -> Option<Self> {
        let seconds = std::env::var("BLOG_SOAK").ok()?;
        Some(Self {
            start: Instant::now(),
            time: Duration::from_secs(seconds.parse().expect("BLOG_SOAK is a number of seconds")),
            samples: Mutex::default(),
        })
    }

    fn goes_on(&self) -> bool {
        self.start.elapsed() < self.time
    }

    fn sample(&self, start: Instant, resident: u64) {
        let sample = (start - self.start, start.elapsed(), resident);
        self.samples.lock().unwrap().push(sample);
    }

    /// By the tenth part; what is held in memory after the first half is still held in the end.
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
async fn sixteen_clients_do_everything_at_once_and_every_document_is_right() {
    let blog = Blog::start(200).await;
    let known = Known::from(&blog.pool).await;
    let soak = Soak::asked_for();
    let client = async |seed: u64| {
        let mut rng = SmallRng::seed_from_u64(seed);
        let mut done = 0;
        while soak.as_ref().map_or(done < OPERATIONS, Soak::goes_on) {
            let Some((name, query, variables)) = operation(&known, &mut rng) else {
                continue;
            };
            let start = Instant::now();
            let answer = blog.send(query, variables).await.unwrap();
            assert_eq!(answer.status(), 200, "{name}");
            known.learn(name, &answer.json().await.unwrap());
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

    let answers = known.answers.lock().unwrap().clone();
    for ((name, outcome), count) in &answers {
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
    assert!(known.count("data") > OPERATIONS * 8, "{answers:#?}");
    // Likes that nobody has waited for.
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
async fn a_program_that_is_asked_to_end_answers_what_it_was_asked_and_counts_every_like() {
    let mut blog = Blog::start(100).await;
    let known = Known::from(&blog.pool).await;
    let answered = AtomicUsize::new(0);
    let client = async |seed: u64| {
        let mut rng = SmallRng::seed_from_u64(seed);
        loop {
            let Some((name, query, variables)) = operation(&known, &mut rng) else {
                continue;
            };
            // Nobody listens any more.
            let Ok(answer) = blog.send(query, variables).await else {
                return;
            };
            assert_eq!(answer.status(), 200);
            let answer: Value = answer
                .json()
                .await
                .expect("an answer that is begun is whole");
            known.learn(name, &answer);
            answered.fetch_add(1, Ordering::Relaxed);
        }
    };
    let ended = async {
        eventually("clients at work", async || {
            answered.load(Ordering::Relaxed) > 100
        })
        .await;
        blog.terminate();
    };
    let clients = futures_util::future::join_all((0..CLIENTS).map(client));
    let all = async { tokio::join!(clients, ended) };
    let all = tokio::time::timeout(Duration::from_secs(60), all).await;
    all.expect("the program does not end");
    assert_eq!(known.count("INTERNAL"), 0);
    assert_eq!(blog.wait().code(), Some(0));
    blog.assert_synced().await;
}

#[tokio::test]
async fn a_client_that_says_nothing_does_not_keep_the_program_from_ending() {
    use tokio::io::AsyncWriteExt as _;
    let mut blog = Blog::start(0).await;
    let address = blog.url.strip_prefix("http://").unwrap();
    let _silent = tokio::net::TcpStream::connect(address).await.unwrap();
    let mut half = tokio::net::TcpStream::connect(address).await.unwrap();
    half.write_all(b"POST /graphql HTTP/1.1\r\nhost: a\r\n")
        .await
        .unwrap();
    // So that both were accepted.
    blog.data("{ users { id } }", json!({})).await;
    blog.terminate();
    let ended = tokio::task::spawn_blocking(move || blog.wait());
    let ended = tokio::time::timeout(Duration::from_secs(40), ended).await;
    assert_eq!(ended.expect("it does not end").unwrap().code(), Some(0));
}

#[tokio::test]
async fn likes_that_were_queued_when_the_program_was_killed_are_counted_by_the_next() {
    let mut blog = Blog::start(3).await;
    let post = blog.field("{ posts(limit: 1) { id } }", json!({})).await[0]["id"].take();
    let user = "mutation { createUser(username: \"ada\", fullName: \"Ada\") { id } }";
    let user = blog.field(user, json!({})).await["id"].take();
    let count = async |blog: &Blog| {
        let query = "query ($id: ID!) { post(id: $id) { likeCount } }";
        blog.field(query, json!({"id": post})).await["likeCount"]
            .as_i64()
            .unwrap()
    };
    let before = count(&blog).await;

    // The post cannot be synced.
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
    // Its sessions are gone, so nobody writes any more.
    eventually("the sessions end", async || {
        let sql = "SELECT count(*) = 0 FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()
              AND query LIKE '%tv_post%' AND state = 'active'";
        sqlx::query_scalar(sql).fetch_one(&blog.pool).await.unwrap()
    })
    .await;
    assert!(!blog.is_synced().await, "it was counted after all");

    let next = blog.restart().await;
    eventually("the document is repaired", async || {
        count(&next).await == before + 1
    })
    .await;
    next.assert_synced().await;
}
