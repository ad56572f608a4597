//! Statements with triggers that record what they change, against the same without.

use std::time::Instant;

use sqlx::PgPool;

use super::{World, load};
use crate::blog::sync_all_posts;
use crate::measure::{Times, millis};

/// Rounds that are not measured.
const WARM_UP: usize = 20;

const INSERT: &str = "INSERT INTO tb_comment
    SELECT gen_random_uuid(), p.id, p.author_id, 'A comment of average length, about this.', now()
    FROM tb_post AS p WHERE p.id = md5('p' || $1::int4)::uuid";
const UPDATE: &str =
    "UPDATE tb_comment SET content = content || '.' WHERE id = md5('c' || $1::int4)::uuid";
/// Every row, with a value that documents show.
const UPDATE_ALL: &str = "UPDATE tb_comment SET content = 'Comment changed ' || $1::int4";

pub(super) async fn run(off: &World, on: &World, quick: bool) -> anyhow::Result<()> {
    let rounds = if quick { 20 } else { 1_000 };
    println!("| statement | without | with triggers | |");
    println!("|---|---:|---:|---:|");
    for (name, sql, rows) in [
        ("one row inserted", INSERT, off.size.posts),
        ("one row updated", UPDATE, off.size.comments),
    ] {
        let [without, with] = measure(off, on, sql, rows, rounds).await?;
        println!(
            "| {name} | {} | {} | **{:+.0}%**, {} |",
            millis(without),
            millis(with),
            (with / without - 1.0) * 1e2,
            load()
        );
    }
    let rounds = if quick { 1 } else { 7 };
    let [without, with] = measure_all(off, on, rounds).await?;
    println!(
        "| {} rows updated | {} | {} | **{:.2} us a row**, {} |\n",
        off.size.comments,
        millis(without),
        millis(with),
        (with - without) * 1e3 / f64::from(off.size.comments),
        load()
    );
    // How a worker drains is measured with fewer rows.
    sqlx::raw_sql("TRUNCATE fraiseql_change")
        .execute(&on.pool)
        .await?;
    sync_all_posts(&on.pool).await?;
    sqlx::raw_sql("VACUUM ANALYZE").execute(&on.pool).await?;
    Ok(())
}

/// Both, alternating.
async fn measure(
    off: &World,
    on: &World,
    sql: &'static str,
    rows: i32,
    rounds: usize,
) -> anyhow::Result<[f64; 2]> {
    let mut times: [Times; 2] = Default::default();
    for round in 0..rounds + WARM_UP {
        let row = i32::try_from(round * 7_919)? % rows + 1;
        for place in 0..2 {
            let contender = (place + round) % 2;
            let pool = [&off.pool, &on.pool][contender];
            let start = Instant::now();
            sqlx::query(sql).bind(row).execute(pool).await?;
            if round >= WARM_UP {
                times[contender].push(start.elapsed());
            }
        }
    }
    Ok(times.map(|times| times.median()))
}

async fn measure_all(off: &World, on: &World, rounds: usize) -> anyhow::Result<[f64; 2]> {
    let mut times: [Times; 2] = Default::default();
    for round in 0..=rounds {
        for place in 0..2 {
            let contender = (place + round) % 2;
            let pool: &PgPool = [&off.pool, &on.pool][contender];
            sqlx::raw_sql("VACUUM tb_comment").execute(pool).await?;
            let start = Instant::now();
            let value = i32::try_from(round)?;
            sqlx::query(UPDATE_ALL).bind(value).execute(pool).await?;
            // The first is the warm-up.
            if round > 0 {
                times[contender].push(start.elapsed());
            }
        }
    }
    Ok(times.map(|times| times.median()))
}
