//! Subscriptions: what a write costs with a feed, how soon a change is there, and what many subscribers cost.
//!
//! The contender is what is written by hand: a trigger that notifies for each row, and a listener that reads the document.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use async_graphql::{EmptyMutation, Schema};
use dev_postgres::Server;
use fraiseql_graphql::{Prepared, Query, Subscription};
use fraiseql_runtime::feed::Feed;
use fraiseql_runtime::{Embed, ReadModel, TView};
use futures_util::StreamExt as _;
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};

use crate::measure::{Times, millis};

/// Options of `live`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Measured changes.
    #[arg(long, default_value_t = 500)]
    changes: usize,
    /// Subscribers of documents that do not change.
    #[arg(long, default_value_t = 10_000)]
    idle: usize,
    /// Subscribers of one document that changes.
    #[arg(long, default_value_t = 1_000)]
    followers: usize,
    /// Seconds of each contender's turn, of writers and of idle subscribers.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Rounds of writers.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Concurrent writers.
    #[arg(long, default_value_t = 8)]
    writers: usize,
}

#[derive(TView)]
#[allow(dead_code)]
struct Post {
    id: i64,
    title: String,
    body: String,
    #[tview(one(fk = "author_id"))]
    author: Author,
}

#[derive(Embed)]
#[tview(table = "tb_user")]
#[allow(dead_code)]
struct Author {
    id: i64,
    name: String,
}

const POSTS: i64 = 1_000;

const TABLES: &str = "
CREATE TABLE tb_user (id int8 PRIMARY KEY, name text NOT NULL);
CREATE TABLE tb_post (
    id int8 PRIMARY KEY, title text NOT NULL, body text NOT NULL, author_id int8 NOT NULL REFERENCES tb_user);
CREATE INDEX ON tb_post (author_id);
INSERT INTO tb_user SELECT i, 'User ' || i FROM generate_series(1, 50) AS i;
INSERT INTO tb_post SELECT i, 'Post ' || i, repeat('Words of a post. ', 60), i % 50 + 1
    FROM generate_series(1, 1000) AS i;
";

const BY_HAND: &str = "
CREATE FUNCTION notify_post() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('posts', NEW.id::text);
    RETURN NULL;
END $$;
CREATE TRIGGER notify_post AFTER INSERT OR UPDATE ON tv_post FOR EACH ROW EXECUTE FUNCTION notify_post()";

/// A database of its own for each contender.
struct World {
    pool: PgPool,
    model: ReadModel,
}

impl World {
    async fn new(server: &Server, feed: bool, by_hand: bool) -> anyhow::Result<Self> {
        let options: PgConnectOptions = server.create_database().await?;
        let pool = PgPoolOptions::new()
            .max_connections(24)
            .connect_with(options.application_name("feed"))
            .await?;
        sqlx::raw_sql(TABLES).execute(&pool).await?;
        let builder = ReadModel::builder().view::<Post>();
        let builder = if feed { builder.feed() } else { builder };
        let model = builder.build()?;
        model.migrate(&pool).await?;
        model.sync_all(&pool).await?;
        if by_hand {
            sqlx::raw_sql(BY_HAND).execute(&pool).await?;
        }
        Ok(Self { pool, model })
    }

    async fn change(&self, id: i64, title: &str) -> anyhow::Result<()> {
        sqlx::query("UPDATE tb_post SET title = $2 WHERE id = $1")
            .bind(id)
            .bind(title)
            .execute(&self.pool)
            .await?;
        sync_post(&self.pool, &[id]).await?;
        Ok(())
    }
}

pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    // Durable: NOTIFY takes a lock while a transaction commits.
    let server = Server::builder().setting("fsync", "on").start()?;
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!("{}, {cores} cores\n", server.description());
    writers(&server, &options).await?;
    latency(&server, &options).await?;
    subscribers(&server, &options).await
}

/// Changes a second of several writers.
async fn writers(server: &Server, options: &Options) -> anyhow::Result<()> {
    let none = World::new(server, false, false).await?;
    let feed = World::new(server, true, false).await?;
    let by_hand = World::new(server, false, true).await?;
    let reader = feed.model.feed(&feed.pool).start().await?;
    let mut changes = reader.changes::<Post>();
    tokio::spawn(async move { while changes.next().await.is_some() {} });
    let mut listener = PgListener::connect_with(&by_hand.pool).await?;
    listener.listen("posts").await?;
    tokio::spawn(async move { while listener.recv().await.is_ok() {} });
    let contenders = [&none, &feed, &by_hand];
    let mut rates = [Times::default(), Times::default(), Times::default()];
    for round in 0..=options.rounds {
        for (world, rates) in contenders.iter().zip(&mut rates) {
            let rate = rate(world, options).await?;
            if round > 0 {
                // A rate, in the place of a time.
                rates.push(Duration::from_secs_f64(rate / 1e3));
            }
        }
    }
    println!(
        "| {} writers, a changed row and its document | changes/s | |",
        options.writers
    );
    println!("|---|---:|---:|");
    let first = rates[0].median();
    for (name, rates) in ["nobody is told", "a feed", "NOTIFY for each row"]
        .iter()
        .zip(&rates)
    {
        println!(
            "| {name} | {:.0} | {:.2} |",
            rates.median(),
            rates.median() / first
        );
    }
    println!();
    Ok(())
}

async fn rate(world: &World, options: &Options) -> anyhow::Result<f64> {
    let (stop, count) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU64::new(0)),
    );
    let start = Instant::now();
    let writers = (0..options.writers).map(|writer| {
        let (stop, count) = (Arc::clone(&stop), Arc::clone(&count));
        async move {
            let mut id = i64::try_from(writer)?;
            while !stop.load(Ordering::Relaxed) {
                // Rows of its own: nobody waits for a row.
                id = (id + i64::try_from(options.writers)?) % POSTS;
                world
                    .change(id + 1, &count.fetch_add(1, Ordering::Relaxed).to_string())
                    .await?;
            }
            anyhow::Ok(())
        }
    });
    let all = futures_util::future::try_join_all(writers);
    let timer = async {
        tokio::time::sleep(Duration::from_secs(options.seconds)).await;
        stop.store(true, Ordering::Relaxed);
        anyhow::Ok(())
    };
    tokio::try_join!(all, timer)?;
    #[allow(clippy::cast_precision_loss)]
    Ok(count.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64())
}

/// The time from the end of a sync until the new document is there.
async fn latency(server: &Server, options: &Options) -> anyhow::Result<()> {
    let world = World::new(server, true, false).await?;
    let feed = world.model.feed(&world.pool).start().await?;
    let mut post = feed.document::<Post>(7);
    post.next().await.context("no picture")??;
    let hand = World::new(server, false, true).await?;
    let mut listener = PgListener::connect_with(&hand.pool).await?;
    listener.listen("posts").await?;
    let (mut ours, mut by_hand, mut woken) = (Times::default(), Times::default(), Times::default());
    for change in 0..options.changes + options.changes / 10 {
        let title = change.to_string();
        world.change(7, &title).await?;
        let start = Instant::now();
        let seen = post.next().await.context("no picture")??;
        let time = start.elapsed();
        ensure!(
            seen.is_some_and(|post| post.title == title),
            "another picture"
        );
        hand.change(7, &title).await?;
        let start = Instant::now();
        listener.recv().await?;
        let seen = Post::find(&hand.pool, 7).await?;
        if change >= options.changes / 10 {
            by_hand.push(start.elapsed());
            ours.push(time);
        }
        ensure!(
            seen.is_some_and(|post| post.title == title),
            "another picture"
        );
    }
    // After a while without changes, the next one wakes the feed.
    for change in 0..5 {
        asleep(&world.pool).await?;
        world.change(7, &format!("woken {change}")).await?;
        let start = Instant::now();
        post.next().await.context("no picture")??;
        woken.push(start.elapsed());
    }
    println!("| from the answer of a sync to the new document | median |");
    println!("|---|---:|");
    for (name, times) in [
        ("a feed", &ours),
        ("a feed that sleeps", &woken),
        ("NOTIFY, and reading the document", &by_hand),
    ] {
        println!("| {name} | {} |", millis(times.median()));
    }
    println!();
    Ok(())
}

/// Waits until the feed sleeps.
async fn asleep(pool: &PgPool) -> anyhow::Result<()> {
    let sql = "SELECT count(*) FROM fraiseql_feed WHERE sleeps_until > clock_timestamp()";
    while sqlx::query_scalar::<_, i64>(sql).fetch_one(pool).await? == 0 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    Ok(())
}

/// The resident memory of this process, in bytes.
fn memory() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes: u64 = line
        .and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok())
        .context("no VmRSS")?;
    Ok(kilobytes * 1024)
}

/// How many transactions there were in the database.
async fn transactions(pool: &PgPool) -> anyhow::Result<i64> {
    // Sessions report their own when they have been idle for ten seconds, at the latest.
    tokio::time::sleep(Duration::from_secs(11)).await;
    let sql = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()";
    Ok(sqlx::query_scalar(sql).fetch_one(pool).await?)
}

type Served = Schema<Query<(Post,)>, EmptyMutation, Subscription<(Post,)>>;

async fn subscribers(server: &Server, options: &Options) -> anyhow::Result<()> {
    let world = World::new(server, true, false).await?;
    let feed: Feed = world.model.feed(&world.pool).start().await?;
    let query = Query::new(world.pool.clone());
    let schema: Served = Schema::build(query, EmptyMutation, Subscription::new(feed.clone()))
        .extension(Prepared::default())
        .finish();
    let before = memory()?;
    let mut idle = Vec::with_capacity(options.idle);
    for number in 0..options.idle {
        let id = i64::try_from(number)? % (POSTS - 1) + 2;
        let request = format!("subscription {{ post(id: {id}) {{ title author {{ name }} }} }}");
        let mut stream = schema.execute_stream(request);
        stream.next().await.context("no picture")?;
        idle.push(stream);
    }
    let each = (memory()?.saturating_sub(before)) / u64::try_from(options.idle.max(1))?;
    asleep(&world.pool).await?;
    let looks = feed.health().looks;
    tokio::time::sleep(Duration::from_secs(options.seconds)).await;
    let looks = feed.health().looks - looks;

    let mut followers = tokio::task::JoinSet::new();
    let (ready, mut all_ready) = tokio::sync::mpsc::channel::<()>(1);
    for _ in 0..options.followers {
        let (schema, ready) = (schema.clone(), ready.clone());
        followers.spawn(async move {
            let query = "subscription { post(id: 1) { title author { name } } }";
            let mut stream = schema.execute_stream(query);
            stream.next().await;
            drop(ready);
            let changed = stream.next().await;
            changed.is_some_and(|it| it.errors.is_empty())
        });
    }
    drop(ready);
    all_ready.recv().await;
    let before = transactions(&world.pool).await?;
    world.change(1, "changed").await?;
    let start = Instant::now();
    while let Some(seen) = followers.join_next().await {
        ensure!(seen?, "an error");
    }
    let time = start.elapsed();
    let read = transactions(&world.pool).await? - before;
    println!("| subscribers | |");
    println!("|---|---:|");
    println!(
        "| memory of each of {} that are idle | {each} bytes |",
        options.idle
    );
    println!("| looks of theirs in {} s | {looks} |", options.seconds);
    println!(
        "| until each of {} has the change of a document | {} |",
        options.followers,
        millis(time.as_secs_f64() * 1e3)
    );
    println!("| statements for that, with the change and its sync | {read} |");
    Ok(())
}
