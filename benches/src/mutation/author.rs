//! A change of one row that many documents embed: an author with 10,000 posts is renamed.
//!
//! fraiseql runs a mutation in which only the user is marked. It is compared with two hand-written
//! statements, each in a transaction with the UPDATE: (a) the fastest statement for this particular
//! change, which replaces only the author in each document; (b) the usual statement, which builds
//! the author's documents again.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use fraiseql_runtime::{Capture, ReadModel};
use sqlx::PgPool;
use uuid::Uuid;

use crate::blog::{Author, Blog, Post, Size, sync_all_posts};
use crate::measure::{Times, millis};
use crate::sync::{CLASSIC, CLASSIC_TABLE, statement};

/// Options of the renamed author.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub(super) struct Options {
    /// Number of posts of the author.
    #[arg(long, default_value_t = 10_000)]
    posts: i32,
    /// Number of comments on all posts.
    #[arg(long, default_value_t = 100_000)]
    comments: i32,
    /// Measured rounds.
    #[arg(long, default_value_t = 11)]
    rounds: usize,
}

/// (a) Replaces only the changed part.
const PART: &str = "
UPDATE tv_part AS v
SET data = jsonb_set(v.data, '{author}', a.author), version = v.version + 1, updated_at = now()
FROM tb_post AS p
JOIN (
  SELECT id, jsonb_build_object('id', id, 'username', username, 'fullName', full_name) AS author
  FROM tb_user
) AS a ON a.id = p.author_id
WHERE p.author_id = $1 AND v.id = p.id";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Variant {
    Ours,
    Part,
    Whole,
}

const VARIANTS: [Variant; 3] = [Variant::Ours, Variant::Part, Variant::Whole];

#[derive(Debug, serde::Serialize)]
struct Report {
    server: String,
    cores: usize,
    posts: i32,
    comments: i32,
    /// Medians in milliseconds.
    ours: f64,
    part: f64,
    whole: f64,
    /// Peak memory of this process in MB, after the run and before it.
    memory: f64,
    memory_before: f64,
}

pub(super) async fn run(options: &Options, capture: Capture, json: bool) -> anyhow::Result<()> {
    let size = Size {
        users: 1_000,
        posts: options.posts,
        comments: options.comments,
    };
    let Blog { server, pool, .. } = Blog::load(size).await?;
    let bench = Bench::new(pool, capture).await?;
    let memory_before = memory()?;
    let mut times: [Times; 3] = std::array::from_fn(|_| Times::default());
    const WARM_UP: usize = 2;
    for round in 0..options.rounds + WARM_UP {
        for place in 0..VARIANTS.len() {
            let contender = (place + round) % VARIANTS.len();
            let time = bench.run_variant(VARIANTS[contender]).await?;
            if round >= WARM_UP {
                times[contender].push(time);
            }
        }
    }
    bench.compare().await?;
    let [ours, part, whole] = times.map(|times| times.median());
    let report = Report {
        server: server.description().to_owned(),
        cores: std::thread::available_parallelism().map_or(0, usize::from),
        posts: options.posts,
        comments: options.comments,
        ours,
        part,
        whole,
        memory: memory()?,
        memory_before,
    };
    if json {
        println!("{}", serde_json::to_string_pretty(&report)?);
        return Ok(());
    }
    println!(
        "{}, {} cores, an author of {} posts with {} comments is renamed; medians",
        report.server, report.cores, report.posts, report.comments
    );
    println!("mutation                       {}", millis(report.ours));
    println!(
        "(a) the part alone, by hand    {}   ours / (a) {:.2}",
        millis(report.part),
        report.ours / report.part
    );
    println!(
        "(b) the documents, by hand     {}   ours / (b) {:.2}, (b) / ours {:.2}",
        millis(report.whole),
        report.ours / report.whole,
        report.whole / report.ours
    );
    println!(
        "memory of this process         {:.1} MB at most, {:.1} MB before",
        report.memory, report.memory_before
    );
    Ok(())
}

struct Bench {
    pool: PgPool,
    model: ReadModel,
    author: Uuid,
    classic: &'static str,
}

impl Bench {
    async fn new(pool: PgPool, capture: Capture) -> anyhow::Result<Self> {
        let author: Uuid = sqlx::query_scalar("SELECT min(id::text)::uuid FROM tb_user")
            .fetch_one(&pool)
            .await?;
        // The author has all posts and no comments.
        sqlx::query("UPDATE tb_post SET author_id = $1")
            .bind(author)
            .execute(&pool)
            .await?;
        sqlx::query(
            "UPDATE tb_comment SET author_id = (SELECT max(id::text)::uuid FROM tb_user)
             WHERE author_id = $1",
        )
        .bind(author)
        .execute(&pool)
        .await?;
        sqlx::raw_sql(CLASSIC_TABLE).execute(&pool).await?;
        sync_all_posts(&pool).await?;
        // Stored in the same way as fraiseql's table: lz4 compression, and free space for updates.
        sqlx::raw_sql(
            "CREATE TABLE tv_part (LIKE tv_post INCLUDING ALL) WITH (fillfactor = 85);
             INSERT INTO tv_part SELECT * FROM tv_post",
        )
        .execute(&pool)
        .await?;
        sqlx::query(statement(CLASSIC, "true"))
            .execute(&pool)
            .await?;
        sqlx::raw_sql("VACUUM ANALYZE").execute(&pool).await?;
        let model = ReadModel::builder()
            .view::<Post>()
            .capture(capture)
            .build()?;
        model.migrate(&pool).await?;
        Ok(Self {
            pool,
            model,
            author,
            classic: statement(CLASSIC, "p.author_id = $1"),
        })
    }

    async fn run_variant(&self, variant: Variant) -> anyhow::Result<Duration> {
        // Dead rows of the last round must not slow down this one.
        let tables = [
            "VACUUM tv_post",
            "VACUUM tv_part",
            "VACUUM tv_classic",
            "VACUUM tb_user",
        ];
        for vacuum in tables {
            sqlx::raw_sql(vacuum).execute(&self.pool).await?;
        }
        const RENAME: &str = "UPDATE tb_user SET full_name = gen_random_uuid()::text WHERE id = $1";
        let start = Instant::now();
        let written = match variant {
            Variant::Ours => {
                let mut m = self.model.mutation(&self.pool).await?;
                sqlx::query(RENAME)
                    .bind(self.author)
                    .execute(&mut *m)
                    .await?;
                m.changed::<Author>(&[self.author]);
                m.commit().await?.changed()
            }
            Variant::Part | Variant::Whole => {
                let sql = if variant == Variant::Part {
                    PART
                } else {
                    self.classic
                };
                let mut tx = self.pool.begin().await?;
                sqlx::query(RENAME)
                    .bind(self.author)
                    .execute(&mut *tx)
                    .await?;
                let done = sqlx::query(sql).bind(self.author).execute(&mut *tx).await?;
                tx.commit().await?;
                done.rows_affected()
            }
        };
        let time = start.elapsed();
        let posts: i64 = sqlx::query_scalar("SELECT count(*) FROM tb_post")
            .fetch_one(&self.pool)
            .await?;
        ensure!(
            i64::try_from(written)? == posts,
            "{written} of {posts} documents"
        );
        Ok(time)
    }

    /// Checks that all variants store the same documents, after each has written the last name.
    async fn compare(&self) -> anyhow::Result<()> {
        self.run_variant(Variant::Part).await?;
        sqlx::query(self.classic)
            .bind(self.author)
            .execute(&self.pool)
            .await?;
        let mut m = self.model.mutation(&self.pool).await?;
        m.changed::<Author>(&[self.author]);
        m.commit().await?;
        let different: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM tv_post AS a FULL JOIN tv_classic AS b USING (id)
             FULL JOIN tv_part AS c USING (id)
             WHERE a.data IS DISTINCT FROM b.data OR a.data IS DISTINCT FROM c.data",
        )
        .fetch_one(&self.pool)
        .await?;
        ensure!(different == 0, "{different} documents differ");
        Ok(())
    }
}

/// Peak resident memory of this process in MB.
fn memory() -> anyhow::Result<f64> {
    let status =
        std::fs::read_to_string("/proc/self/status").context("reading the memory in use")?;
    let kb = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.trim().strip_suffix(" kB"))
        .context("no VmHWM in /proc/self/status")?;
    Ok(kb.trim().parse::<f64>()? / 1024.0)
}
