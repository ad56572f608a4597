//! Indexes articles, searches, renames an author by plain SQL, and searches again: `cargo run -p search`.

use anyhow::Result;
use clap::Parser;
use search::index::Index;
use sqlx::PgPool;

/// A search index that is kept up to date with documents.
///
/// Starts its own PostgreSQL, which needs no set-up, listens on no port, and stops with the program. With DATABASE_URL it uses
/// that server, and drops and creates the database fraiseql_search on it.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// The words to search for.
    #[arg(default_values = ["relational", "ada"])]
    words: Vec<String>,
    /// Number of articles.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(i32).range(1..=100_000))]
    articles: i32,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let server = dev_postgres::Server::builder()
        .persistent_in_cache("search")?
        .start()?;
    let options = server.recreate_database("fraiseql_search").await?;
    let pool = PgPool::connect_with(options).await?;
    search::create(&pool, arguments.articles).await?;

    let directory = tempfile::tempdir()?;
    let mut index = Index::open(&directory.path().join("articles.json"))?;
    let query = arguments.words.join(" ");
    bring_up_to_date(&pool, &mut index).await?;
    say(&query, &index);

    println!("UPDATE tb_author SET name = 'Ada King' WHERE id = 2;");
    sqlx::query("UPDATE tb_author SET name = 'Ada King' WHERE id = 2")
        .execute(&pool)
        .await?;
    bring_up_to_date(&pool, &mut index).await?;
    say(&query, &index);
    pool.close().await;
    Ok(())
}

/// A service calls `run` instead, in a task of its own.
async fn bring_up_to_date(pool: &PgPool, index: &mut Index) -> Result<()> {
    let report = search::model()?
        .sink(pool, "articles")
        .drain(&mut *index)
        .await?;
    println!(
        "{} documents written to the index, {} in it",
        report.written,
        index.len()
    );
    Ok(())
}

fn say(query: &str, index: &Index) {
    let found = index.search(query);
    let first: Vec<&str> = found.iter().copied().take(5).collect();
    println!(
        "{} articles have `{query}`: {} ..",
        found.len(),
        first.join(", ")
    );
}
