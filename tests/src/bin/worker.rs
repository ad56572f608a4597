//! A worker in a process of its own: `worker <database url>` runs until it is killed. It prints a line when it
//! begins.

use fraiseql_runtime::Capture;
use fraiseql_tests::world::worked::model_with;
use sqlx::postgres::PgPoolOptions;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let url = std::env::args()
        .nth(1)
        .ok_or(anyhow::anyhow!("no database"))?;
    let pool = PgPoolOptions::new()
        .max_connections(2)
        .connect(&url)
        .await?;
    println!("begun");
    let worker = model_with(Capture::Queue).worker(&pool).batch(50);
    worker.run(std::future::pending()).await?;
    Ok(())
}
