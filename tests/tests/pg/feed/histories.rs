//! Tests that the last picture of a stream is what is stored, after random histories.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use fraiseql_runtime::TView as _;
use fraiseql_runtime::feed::{DocumentChange, Feed};
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use sqlx::{AssertSqlSafe, PgPool};

use super::{Post, next, sync_post, world};

/// In every other one, the feed loses its connections and nothing else: no reset hides a change that it has missed.
const SEASONS: u64 = 12;
const STREAMS: u64 = 90;
/// So many that most are written once or twice in a season.
const DOCUMENTS: i64 = 300;

async fn pause(rng: &mut SmallRng, most: u64) {
    tokio::time::sleep(Duration::from_micros(rng.random_range(0..=most))).await;
}

/// Writes documents in all kinds of ways until it is stopped.
async fn write(
    pool: PgPool,
    seed: u64,
    resets: bool,
    stop: Arc<AtomicBool>,
    writes: Arc<AtomicU64>,
) {
    let mut rng = SmallRng::seed_from_u64(seed);
    while !stop.load(Ordering::Relaxed) {
        let id = rng.random_range(1..=DOCUMENTS);
        let sql = match rng.random_range(0..10) {
            0 => "DELETE FROM tb_post WHERE id = $1 AND $2 <> ''",
            _ => {
                "INSERT INTO tb_post VALUES ($1, $2, 1) ON CONFLICT (id) DO UPDATE SET title = EXCLUDED.title"
            }
        };
        let title = format!("{:04}", rng.random_range(0..500));
        let query = sqlx::query(sql).bind(id).bind(title);
        // Deadlocks with others that write in another order are part of the history.
        let done: Result<(), Box<dyn std::error::Error + Send + Sync>> = async {
            if rng.random_bool(0.5) {
                query.execute(&pool).await?;
                sync_post(&pool, &[id]).await?;
                return Ok(());
            }
            let mut tx = pool.begin().await?;
            query.execute(&mut *tx).await?;
            sync_post(&mut tx, &[id]).await?;
            pause(&mut rng, 20_000).await;
            if rng.random_bool(0.2) {
                tx.rollback().await?;
            } else {
                tx.commit().await?;
            }
            Ok(())
        }
        .await;
        writes.fetch_add(u64::from(done.is_ok()), Ordering::Relaxed);
        if resets && rng.random_bool(0.01) {
            let _ = sqlx::raw_sql("TRUNCATE tv_post").execute(&pool).await;
            let _ = sync_post(&pool, &(1..=DOCUMENTS).collect::<Vec<_>>()).await;
        }
        pause(&mut rng, 4_000).await;
    }
}

/// Ends connections of the feed, as a server that is restarted does, and lets it miss changes.
async fn disturb(pool: PgPool, resets: bool, stop: Arc<AtomicBool>) {
    let mut rng = SmallRng::seed_from_u64(1);
    while !stop.load(Ordering::Relaxed) {
        let sql = match rng.random_range(0..if resets { 3 } else { 2 }) {
            0 => {
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE application_name = 'feed' AND datname = current_database()"
            }
            1 => {
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE application_name = 'feed' AND datname = current_database() AND random() < 0.5"
            }
            // As if all that was committed until now had been deleted.
            _ => {
                "UPDATE fraiseql_feed SET pruned = pg_snapshot_xmax(pg_current_snapshot()) WHERE name = '';
                 DELETE FROM fraiseql_document_change"
            }
        };
        let _ = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&pool).await;
        pause(&mut rng, 120_000).await;
    }
}

/// A picture that is kept by a stream.
enum Picture {
    One(i64, Option<Post>),
    List(Vec<Post>),
    /// By the keys of changes.
    All(BTreeMap<i64, Post>),
}

impl Picture {
    fn new(number: u64) -> Self {
        match number % 3 {
            0 => Self::One(i64::try_from(number).unwrap() % DOCUMENTS + 1, None),
            1 => Self::List(Vec::new()),
            _ => Self::All(BTreeMap::new()),
        }
    }

    /// What it should be.
    async fn is_right(&self, pool: &PgPool) -> bool {
        match self {
            Self::One(id, post) => *post == Post::find(pool, *id).await.unwrap(),
            Self::List(posts) => *posts == list().fetch::<Post>(pool).await.unwrap(),
            Self::All(posts) => {
                let all = Post::list().fetch::<Post>(pool).await.unwrap();
                posts.values().cloned().collect::<Vec<_>>() == all
            }
        }
    }
}

fn list() -> fraiseql_runtime::list::List<Post> {
    let list = Post::list().filter(Post::TITLE.lt("0250"));
    list.order_by(Post::TITLE.asc()).limit(5)
}

/// Follows documents, with a new stream now and then. Once nobody writes any more, the stream that is open has to lead to
/// the right picture.
async fn follow(feed: Feed, pool: PgPool, number: u64, settled: Arc<AtomicBool>) -> (u64, u64) {
    let mut rng = SmallRng::seed_from_u64(number);
    let mut picture = Picture::new(number);
    let (mut streams, mut resets) = (0, 0);
    loop {
        streams += 1;
        let lasts = Duration::from_millis(rng.random_range(1..300));
        let (begun, mut ends) = (Instant::now(), None);
        macro_rules! follow {
            ($stream:expr, $element:pat => $take:block) => {{
                let mut stream = $stream;
                loop {
                    tokio::select! {
                        $element = next(&mut stream) => $take,
                        () = tokio::time::sleep(Duration::from_millis(20)) => {}
                    }
                    if settled.load(Ordering::Relaxed) {
                        let ends =
                            ends.get_or_insert_with(|| Instant::now() + Duration::from_secs(20));
                        assert!(
                            Instant::now() < *ends,
                            "the picture {number} is not what is stored"
                        );
                        if picture.is_right(&pool).await {
                            return (streams, resets);
                        }
                    } else if begun.elapsed() > lasts {
                        break;
                    }
                }
            }};
        }
        match &mut picture {
            Picture::One(id, _) => {
                follow!(feed.document::<Post>(*id), found => {
                    // After an error it is read again.
                    if let (Ok(found), Picture::One(_, post)) = (found, &mut picture) {
                        *post = found;
                    }
                });
            }
            Picture::List(_) => {
                follow!(feed.list::<Post>(list()), found => {
                    if let (Ok(found), Picture::List(posts)) = (found, &mut picture) {
                        *posts = found;
                    }
                });
            }
            Picture::All(_) => {
                follow!(feed.changes::<Post>(), change => {
                    // Slow clients have full inboxes.
                    pause(&mut rng, 30_000).await;
                    let Picture::All(posts) = &mut picture else { unreachable!() };
                    match change {
                        DocumentChange::Changed(keys) => {
                            let found = Post::find_many(&pool, &keys).await.unwrap();
                            let gone: BTreeSet<i64> = keys.into_iter().collect();
                            posts.retain(|id, _| !gone.contains(id));
                            posts.extend(found.into_iter().map(|post| (post.id, post)));
                        }
                        _ => {
                            resets += 1;
                            let all = Post::list().fetch::<Post>(&pool).await.unwrap();
                            *posts = all.into_iter().map(|post| (post.id, post)).collect();
                        }
                    }
                });
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_random_histories_each_picture_is_what_is_stored() {
    let (pool, model) = world().await;
    let options = (*pool.connect_options()).clone().application_name("feed");
    let own = fraiseql_tests::pool_of(options).await;
    let small = model.feed(&own).max_keys(6).start().await.unwrap();
    let feed = model.feed(&own).start().await.unwrap();
    let (mut streams, mut resets) = (0, 0);
    let writes = Arc::new(AtomicU64::new(0));
    for season in 0..SEASONS {
        let resets_now = season % 2 == 0;
        if !resets_now {
            // What `disturb` has said is deleted, up to the present, is not: a transaction that is open for long, in any
            // database of the server, would be before that for as long.
            fraiseql_tests::run(
                &pool,
                "UPDATE fraiseql_feed SET pruned = NULL WHERE name = ''",
            )
            .await;
        }
        let feed = if resets_now { &small } else { &feed };
        let resets_before = feed.health().resets;
        let stop = Arc::new(AtomicBool::new(false));
        let (settled, seed) = (Arc::new(AtomicBool::new(false)), season * 1_000);
        let mut others = tokio::task::JoinSet::new();
        for writer in 0..3 {
            let writes = Arc::clone(&writes);
            let stop = Arc::clone(&stop);
            others.spawn(write(pool.clone(), seed + writer, resets_now, stop, writes));
        }
        others.spawn(disturb(pool.clone(), resets_now, Arc::clone(&stop)));
        let mut followers = tokio::task::JoinSet::new();
        for number in 0..STREAMS {
            let settled = Arc::clone(&settled);
            followers.spawn(follow(feed.clone(), pool.clone(), seed + number, settled));
        }
        tokio::time::sleep(Duration::from_millis(900)).await;
        stop.store(true, Ordering::Relaxed);
        while let Some(ended) = others.join_next().await {
            ended.unwrap();
        }
        settled.store(true, Ordering::Relaxed);
        while let Some(ended) = followers.join_next().await {
            let ended = ended.unwrap();
            streams += ended.0;
            resets += ended.1;
        }
        assert!(
            resets_now || feed.health().resets == resets_before,
            "season {season}"
        );
    }
    let health = small.health();
    println!("{streams} streams, {resets} resets, {writes:?} writes, {health:?}");
    assert!(streams > 1_000 && resets > 200, "{streams}, {resets}");
    assert!(
        health.resets > 4 && writes.load(Ordering::Relaxed) > 50,
        "{health:?}"
    );
}
