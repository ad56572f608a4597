//! A worker: how many changed rows it drains a second, and how far documents are behind.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use sqlx::AssertSqlSafe;

use super::{World, load};

/// Commits a second while the time to the document is measured.
const COMMITS: u32 = 200;

pub(super) async fn run(world: &World, quick: bool) -> anyhow::Result<()> {
    throughput(world, quick).await?;
    latency(world, quick).await
}

/// Statements of one row each, in random order.
async fn throughput(world: &World, quick: bool) -> anyhow::Result<()> {
    let (rounds, rows) = if quick { (1, 500) } else { (5, 20_000) };
    let mut rates = Vec::new();
    // The first is the warm-up.
    for round in 0..=rounds {
        let comments = world.size.comments;
        sqlx::raw_sql(AssertSqlSafe(format!(
            "DO $$ BEGIN FOR i IN 1..{rows} LOOP
                UPDATE tb_comment SET content = 'round {round}, row ' || i
                WHERE id = md5('c' || (i::int8 * 7919 % {comments} + 1))::uuid;
            END LOOP; END $$"
        )))
        .execute(&world.pool)
        .await?;
        let start = Instant::now();
        let report = world.model.worker(&world.pool).drain().await?;
        ensure!(report.failed == 0 && report.changes >= rows, "{report}");
        if round > 0 {
            rates.push(f64::from(u32::try_from(rows)?) / start.elapsed().as_secs_f64());
        }
    }
    rates.sort_by(f64::total_cmp);
    println!(
        "one worker: **{:.0} changed rows a second**, {}",
        rates[rates.len() / 2],
        load()
    );
    Ok(())
}

/// Commits at fixed times, and for each the time until its document shows it.
async fn latency(world: &World, quick: bool) -> anyhow::Result<()> {
    let commits = if quick { 40 } else { 3_000 };
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let worker = world.model.worker(&world.pool);
    let running = tokio::spawn(worker.run(async { drop(stopped.await) }));
    let mut timer = tokio::time::interval(Duration::from_secs(1) / COMMITS);
    let mut waits = Vec::new();
    for commit in 0..commits {
        timer.tick().await;
        let post = world.posts[commit * 31 % world.posts.len()];
        let title = format!("At {commit}");
        sqlx::query("UPDATE tb_post SET title = $2 WHERE id = $1")
            .bind(post)
            .bind(&title)
            .execute(&world.pool)
            .await?;
        let start = Instant::now();
        // Of one in ten, so that looking costs little.
        if commit % 10 == 0 {
            let pool = world.pool.clone();
            waits.push(tokio::spawn(async move {
                loop {
                    let found: Option<bool> = sqlx::query_scalar(
                        "SELECT data ->> 'title' = $2 FROM tv_post WHERE id = $1",
                    )
                    .bind(post)
                    .bind(&title)
                    .fetch_optional(&pool)
                    .await?;
                    if found == Some(true) {
                        return anyhow::Ok(start.elapsed());
                    }
                    ensure!(
                        start.elapsed() < Duration::from_secs(60),
                        "{title}: not synced"
                    );
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            }));
        }
    }
    let mut times = Vec::new();
    for wait in waits {
        times.push(wait.await??);
    }
    stop.send(()).ok().context("the worker has ended")?;
    running.await??;
    times.sort();
    let millis = |part: usize| times[times.len() * part / 100].as_secs_f64() * 1e3;
    println!(
        "from commit to document at {COMMITS} commits a second: median {:.1} ms, **p99 {:.1} ms**, {}",
        millis(50),
        millis(99),
        load()
    );
    Ok(())
}
