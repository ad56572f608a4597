//! Syncing documents: batches of 1 to 10,000, and a full sync.
//!
//! Compared with (a) the usual hand-written statement, (b) fraiseql's statement executed with sqlx
//! directly, (c) a loop of one SELECT and one upsert per row. Before each measured call, the titles
//! of its posts are changed, so that every call writes all of its documents.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use fraiseql_runtime::TView;
use fraiseql_runtime::sql::sync::MAX_FEW_KEYS;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use sqlx::{PgPool, Row};
use uuid::Uuid;

use crate::blog::{Blog, Post, Size, sync_all_posts, sync_post};
use crate::measure::{Times, millis};
use crate::plot;

/// Options of `sync`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    size: Size,
    /// Measured rounds; small batches have more.
    #[arg(long, default_value_t = 11)]
    rounds: usize,
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
    /// Draw the ratios into this SVG file.
    #[arg(long)]
    plot: Option<PathBuf>,
}

/// One batch size, measured.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Line {
    /// What was synced: `1`, `10`, .. or `full`.
    pub(crate) batch: String,
    /// Medians in milliseconds.
    pub(crate) ours: f64,
    pub(crate) classic: f64,
    pub(crate) by_hand: Option<f64>,
    pub(crate) row_by_row: Option<f64>,
}

#[derive(Debug, serde::Serialize)]
struct Report {
    server: String,
    cores: usize,
    size: Size,
    lines: Vec<Line>,
}

/// The usual document query: nested objects, aggregated lists.
const DOCUMENT: &str = "
  jsonb_build_object(
    'id', p.id, 'title', p.title, 'content', p.content, 'published', p.published,
    'createdAt', p.created_at,
    'author', jsonb_build_object('id', u.id, 'username', u.username, 'fullName', u.full_name),
    'comments', coalesce((
      SELECT jsonb_agg(jsonb_build_object(
          'id', c.id, 'content', c.content, 'createdAt', c.created_at,
          'author', jsonb_build_object(
            'id', cu.id, 'username', cu.username, 'fullName', cu.full_name)
        ) ORDER BY c.created_at DESC, c.id)
      FROM tb_comment c
      JOIN tb_user cu ON cu.id = c.author_id
      WHERE c.post_id = p.id), '[]'::jsonb),
    'commentCount', (SELECT count(*) FROM tb_comment c WHERE c.post_id = p.id)
  )";

/// (a) The usual statement, one upsert.
pub(crate) const CLASSIC: &str = "
INSERT INTO tv_classic (id, data, updated_at)
SELECT p.id, {document}, now()
FROM tb_post p
JOIN tb_user u ON u.id = p.author_id
WHERE {where}
ON CONFLICT (id) DO UPDATE SET data = EXCLUDED.data, updated_at = EXCLUDED.updated_at";

pub(crate) const CLASSIC_TABLE: &str = "
CREATE TABLE tv_classic (
    id uuid PRIMARY KEY,
    data jsonb NOT NULL,
    updated_at timestamptz NOT NULL
)";

/// (c) One document, read and then written, as FraiseQL's own example does for each key.
pub(crate) const ONE_SELECT: &str = "
SELECT {document}
FROM tb_post p
JOIN tb_user u ON u.id = p.author_id
WHERE {where}";
pub(crate) const ONE_UPSERT: &str = "
INSERT INTO tv_classic (id, data, updated_at) VALUES ($1, $2, now())
ON CONFLICT (id) DO UPDATE SET data = EXCLUDED.data, updated_at = EXCLUDED.updated_at";

struct Bench {
    pool: PgPool,
    keys: Vec<Uuid>,
    classic: &'static str,
    classic_full: &'static str,
    one_select: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Variant {
    Ours,
    Classic,
    ByHand,
    RowByRow,
}

pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    let size = options.size;
    let Blog {
        server,
        pool,
        posts: keys,
    } = Blog::load(size).await?;
    sqlx::raw_sql(CLASSIC_TABLE).execute(&pool).await?;
    let bench = Bench {
        pool,
        keys,
        classic: statement(CLASSIC, "p.id = ANY ($1)"),
        classic_full: statement(CLASSIC, "true"),
        one_select: statement(ONE_SELECT, "p.id = $1"),
    };
    bench.fill().await?;

    let mut lines = Vec::new();
    for batch in [1, 10, 100, 1_000, 10_000] {
        if batch > bench.keys.len() {
            break;
        }
        eprintln!("batches of {batch}");
        lines.push(bench.batches(batch, options.rounds).await?);
    }
    eprintln!("full sync");
    lines.extend(bench.full(options.rounds).await?);
    let report = Report {
        server: server.description().to_owned(),
        cores: std::thread::available_parallelism().map_or(0, usize::from),
        size,
        lines,
    };
    if let Some(path) = &options.plot {
        plot::ratios(path, &report.lines).context("drawing the plot")?;
    }
    if options.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report);
    }
    Ok(())
}

/// Fills in the document query and the condition. The text is leaked, because sqlx accepts
/// `&'static str` without an assertion.
pub(crate) fn statement(text: &str, condition: &str) -> &'static str {
    text.replace("{document}", DOCUMENT)
        .replace("{where}", condition)
        .leak()
}

impl Bench {
    /// Creates the documents of both tables, and checks that they are equal.
    async fn fill(&self) -> anyhow::Result<()> {
        sync_all_posts(&self.pool).await?;
        sqlx::query(self.classic_full).execute(&self.pool).await?;
        let different: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM tv_post AS a FULL JOIN tv_classic AS b USING (id)
             WHERE a.data IS DISTINCT FROM b.data",
        )
        .fetch_one(&self.pool)
        .await?;
        ensure!(
            different == 0,
            "{different} documents differ between the contenders"
        );
        sqlx::raw_sql("VACUUM ANALYZE").execute(&self.pool).await?;
        Ok(())
    }

    async fn batches(&self, batch: usize, rounds: usize) -> anyhow::Result<Line> {
        // Single measurements of small batches are noisy, so there are more.
        let rounds = rounds * (100 / batch.min(100)).max(1);
        let mut variants = vec![Variant::Ours, Variant::Classic, Variant::ByHand];
        if batch <= 1_000 {
            variants.push(Variant::RowByRow);
        }
        let warm_up = if batch <= 100 { 20 } else { 2 };
        let mut times = vec![Times::default(); variants.len()];
        let mut order: Vec<usize> = (0..variants.len()).collect();
        let mut random = rand::rngs::SmallRng::seed_from_u64(1);
        let mut chunks = self.keys.chunks_exact(batch).cycle();
        for round in 0..rounds + warm_up {
            let keys = chunks.next().context("there are keys")?;
            // A random order, so that no variant always runs after the same other one.
            order.shuffle(&mut random);
            for &index in &order {
                self.touch(keys).await?;
                let time = self.time(variants[index], keys).await?;
                if round >= warm_up {
                    times[index].push(time);
                }
            }
        }
        let median = |variant| {
            variants
                .iter()
                .position(|w| *w == variant)
                .map(|i| times[i].median())
        };
        Ok(Line {
            batch: batch.to_string(),
            ours: median(Variant::Ours).unwrap_or(f64::NAN),
            classic: median(Variant::Classic).unwrap_or(f64::NAN),
            by_hand: median(Variant::ByHand),
            row_by_row: median(Variant::RowByRow),
        })
    }

    /// A full sync on one connection, on two, and (a) in one statement.
    async fn full(&self, rounds: usize) -> anyhow::Result<[Line; 2]> {
        const WARM_UP: usize = 2;
        let mut times: [Times; 3] = std::array::from_fn(|_| Times::default());
        for round in 0..rounds + WARM_UP {
            for place in 0..times.len() {
                let contender = (place + round) % times.len();
                self.touch(&self.keys).await?;
                let start = Instant::now();
                if contender < 2 {
                    let report = sync_all_posts(&self.pool)
                        .connections(contender + 1)
                        .await?;
                    ensure!(report.updated == self.keys.len() as u64, "{report}");
                } else {
                    sqlx::query(self.classic_full).execute(&self.pool).await?;
                }
                if round >= WARM_UP {
                    times[contender].push(start.elapsed());
                }
            }
        }
        let [one, two, classic] = times.map(|times| times.median());
        let line = |name: &str, ours| Line {
            batch: name.to_owned(),
            ours,
            classic,
            by_hand: None,
            row_by_row: None,
        };
        Ok([line("full", one), line("full, 2 conn.", two)])
    }

    /// Changes the posts, so that their stored documents differ from the rows.
    async fn touch(&self, keys: &[Uuid]) -> anyhow::Result<()> {
        sqlx::query("UPDATE tb_post SET title = 'Post ' || gen_random_uuid() WHERE id = ANY ($1)")
            .bind(keys)
            .execute(&self.pool)
            .await?;
        if keys.len() >= 1_000 {
            // Dead rows of the last round must not slow down this one.
            for vacuum in ["VACUUM tb_post", "VACUUM tv_post", "VACUUM tv_classic"] {
                sqlx::raw_sql(vacuum).execute(&self.pool).await?;
            }
        }
        Ok(())
    }

    async fn time(&self, variant: Variant, keys: &[Uuid]) -> anyhow::Result<Duration> {
        let start = Instant::now();
        let written = match variant {
            Variant::Ours => sync_post(&self.pool, keys).await?.updated,
            Variant::Classic => sqlx::query(self.classic)
                .bind(keys)
                .execute(&self.pool)
                .await?
                .rows_affected(),
            Variant::ByHand => self.by_hand(keys).await?,
            Variant::RowByRow => {
                for key in keys {
                    let data: serde_json::Value = sqlx::query_scalar(self.one_select)
                        .bind(key)
                        .fetch_one(&self.pool)
                        .await?;
                    sqlx::query(ONE_UPSERT)
                        .bind(key)
                        .bind(data)
                        .execute(&self.pool)
                        .await?;
                }
                keys.len() as u64
            }
        };
        let time = start.elapsed();
        ensure!(
            written == keys.len() as u64,
            "{written} of {} documents",
            keys.len()
        );
        Ok(time)
    }

    /// (b) Executes fraiseql's statement: sorted keys in chunks, reading the counts.
    async fn by_hand(&self, keys: &[Uuid]) -> anyhow::Result<u64> {
        let statements = &Post::statements().sync;
        let mut keys = keys.to_vec();
        keys.sort_unstable();
        let mut connection = self.pool.acquire().await?;
        let mut written = 0;
        for chunk in keys.chunks(500) {
            let sql: &'static str = if chunk.len() <= MAX_FEW_KEYS {
                &statements.write_few
            } else {
                &statements.write
            };
            let row = sqlx::query(sql)
                .bind(chunk)
                .bind(None::<i32>)
                .bind(true)
                .fetch_one(&mut *connection)
                .await?;
            written += u64::try_from(row.try_get::<i64, _>("changed")?)?;
        }
        Ok(written)
    }
}

fn print(report: &Report) {
    println!(
        "{}, {} cores, {} posts, {} users, {} comments; medians",
        report.server, report.cores, report.size.posts, report.size.users, report.size.comments
    );
    println!();
    println!(
        "| batch | ours | (a) classic | ours / (a) | (b) by hand | ours / (b) | (c) row by row | (c) / ours |"
    );
    println!("|---:|---:|---:|---:|---:|---:|---:|---:|");
    for line in &report.lines {
        let time = |ms: Option<f64>| ms.map_or_else(|| "-".to_owned(), millis);
        let ratio = |a: Option<f64>, b: Option<f64>| match (a, b) {
            (Some(a), Some(b)) => format!("{:.2}", a / b),
            _ => "-".to_owned(),
        };
        println!(
            "| {} | {} | {} | **{}** | {} | {} | {} | {} |",
            line.batch,
            millis(line.ours),
            millis(line.classic),
            ratio(Some(line.ours), Some(line.classic)),
            time(line.by_hand),
            ratio(Some(line.ours), line.by_hand),
            time(line.row_by_row),
            ratio(line.row_by_row, Some(line.ours)),
        );
    }
}
