//! Quickstart, from structs to documents in one command: `cargo run -p quickstart`.
//!
//! Starts its own PostgreSQL, creates a blog's base tables, loads posts, and shows what is derived
//! from the structs in `views.rs`: SQL, documents, typed reads; and that a change by plain SQL is in its
//! documents.

mod tables;
mod views;

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Parser;
use fraiseql_runtime::{Capture, ReadModel, TView};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use uuid::Uuid;

use crate::views::{Post, sync_all_posts};

/// From structs to documents in one command.
///
/// Starts its own PostgreSQL, which needs no set-up, listens on no port, and stops with the
/// program. With DATABASE_URL it uses that server, and drops and creates the database
/// fraiseql_quickstart on it.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Number of posts to load, with ten comments each.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    posts: u32,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Measured steps: name, number of documents, duration.
type Timings = Vec<(&'static str, u64, Duration)>;

async fn run(arguments: Arguments) -> Result<()> {
    let mut timings = Timings::new();
    let server = dev_postgres::Server::builder()
        .persistent_in_cache("quickstart")?
        .start()?;
    println!("Started {}.", server.description());
    let options = server.recreate_database("fraiseql_quickstart").await?;
    let pool = PgPoolOptions::new().connect_with(options).await?;

    tables::create(&pool).await?;
    tables::load(&pool, arguments.posts).await?;

    heading("The struct that you write (examples/quickstart/src/views.rs)");
    print_source();
    heading("The SQL that is derived from it: one query builds the documents of a list of keys");
    println!("{}", fraiseql_runtime::sql::document::query(Post::VIEW));

    let blog = ReadModel::builder().view::<Post>();
    let blog = blog.capture(Capture::AtCommit).build()?;
    blog.migrate(&pool).await?;
    full_sync(&pool, arguments.posts, &mut timings).await?;
    read(&pool, &mut timings).await?;
    plain_sql(&pool, &mut timings).await?;
    print_timings(&timings);
    pool.close().await;
    Ok(())
}

async fn full_sync(pool: &PgPool, posts: u32, timings: &mut Timings) -> Result<()> {
    let bar = tables::bar(u64::from(posts), "syncing");
    let report = sync_all_posts(pool)
        .on_progress(|progress| bar.set_position(progress.report.total()))
        .await?;
    bar.finish_and_clear();
    heading("A full sync of all posts into tv_post");
    println!("sync_all_posts(&pool).await?  // {report}");
    timings.push(("full sync", report.total(), report.duration));
    let report = sync_all_posts(pool).await?;
    println!("sync_all_posts(&pool).await?  // {report}");
    timings.push(("the same again", report.total(), report.duration));
    Ok(())
}

/// Triggers say what a statement has changed, and each transaction syncs its documents when it commits. So it
/// may be a statement of psql, or of a program that knows no document.
async fn plain_sql(pool: &PgPool, timings: &mut Timings) -> Result<()> {
    heading("Plain SQL renames an author, and the documents that embed the name follow");
    let rename = "UPDATE tb_user SET full_name = 'Ada Lovelace' WHERE username = 'user1'";
    let start = Instant::now();
    sqlx::query(rename).execute(pool).await?;
    let time = start.elapsed();
    println!("{rename}");
    let posts: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM tv_post WHERE data::text LIKE '%\"Ada Lovelace\"%'",
    )
    .fetch_one(pool)
    .await?;
    println!("-- {posts} posts in tv_post have the new name, right after the statement");
    let sql = "SELECT p.id FROM tb_post AS p JOIN tb_user AS u ON u.id = p.author_id
        WHERE u.username = 'user1' LIMIT 1";
    let id: Uuid = sqlx::query_scalar(sql).fetch_one(pool).await?;
    let post = Post::find(pool, id).await?.context("the post was synced")?;
    println!("-- \"{}\" by {}", post.title, post.author.full_name);
    anyhow::ensure!(
        post.author.full_name == "Ada Lovelace",
        "the document did not follow"
    );
    timings.push(("UPDATE of plain SQL", posts.unsigned_abs(), time));
    Ok(())
}

async fn read(pool: &PgPool, timings: &mut Timings) -> Result<()> {
    let id: Uuid = sqlx::query_scalar("SELECT id FROM tv_post ORDER BY created_at LIMIT 1")
        .fetch_one(pool)
        .await?;
    heading("A typed document");
    let start = Instant::now();
    let post = Post::find(pool, id).await?.context("the post was synced")?;
    timings.push(("Post::find", 1, start.elapsed()));
    println!("let post: Option<Post> = Post::find(&pool, id).await?;");
    println!(
        "\"{}\" by {} ({} comments, the newest by {}), {}",
        post.title,
        post.author.full_name,
        post.comment_count,
        post.comments
            .first()
            .map_or("nobody", |comment| comment.author.username.as_str()),
        post.created_at.date_naive(),
    );
    heading("The same document as stored JSON");
    let start = Instant::now();
    let json = Post::find_json(pool, id)
        .await?
        .context("the post was synced")?;
    timings.push(("Post::find_json", 1, start.elapsed()));
    let shown: String = json.get().chars().take(400).collect();
    println!("{shown}..");
    let some: Vec<Uuid> = sqlx::query_scalar("SELECT id FROM tv_post LIMIT 100")
        .fetch_all(pool)
        .await?;
    let start = Instant::now();
    let posts = Post::find_many(pool, &some).await?;
    timings.push(("Post::find_many", posts.len() as u64, start.elapsed()));
    Ok(())
}

/// Prints the source of the view's struct, without its visibility.
fn print_source() {
    let source = include_str!("views.rs");
    let from = source.find("#[derive(Debug, TView)]").unwrap_or(0);
    let struct_only = source[from..].split("\n\n").next().unwrap_or(source);
    println!("{}", struct_only.replace("pub(crate) ", ""));
}

fn heading(text: &str) {
    if std::io::stdout().is_terminal() {
        println!("\n\x1b[1m{text}\x1b[0m\n");
    } else {
        println!("\n## {text}\n");
    }
}

fn print_timings(timings: &Timings) {
    heading("Timings (this build, this machine)");
    println!(
        "{:<22}{:>12}{:>12}{:>16}",
        "", "documents", "time", "per document"
    );
    for (what, documents, time) in timings {
        let each = time.as_secs_f64() * 1e6 / (*documents).max(1) as f64;
        println!(
            "{what:<22}{documents:>12}{:>12}{:>16}",
            format!("{:.1} ms", time.as_secs_f64() * 1e3),
            format!("{each:.0} µs")
        );
    }
}
