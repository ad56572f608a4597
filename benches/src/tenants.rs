//! A tenant among many: the plan and the time of its lists, by the number of documents, and how many
//! updates of documents need no new index entries (HOT).

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use chrono::{DateTime, Utc};
use dev_postgres::Server;
use fraiseql_runtime::list::{List, OrderBy, Page};
use fraiseql_runtime::{ReadModel, TView};
use rand::Rng as _;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use crate::measure::{Times, millis};
use crate::plot::{self, Series};

/// Options of `tenants`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Numbers of documents.
    #[arg(long, value_delimiter = ',', default_value = "10000,100000,1000000")]
    documents: Vec<u32>,
    /// Tenants.
    #[arg(long, default_value_t = 1_000)]
    tenants: u32,
    /// Measured reads of each kind.
    #[arg(long, default_value_t = 2_000)]
    reads: usize,
    /// The share of documents that is updated, for the share of HOT updates.
    #[arg(long, default_value_t = 0.1)]
    updated: f64,
    /// Draws the times by the number of documents, as SVG.
    #[arg(long)]
    plot: Option<PathBuf>,
}

#[derive(TView)]
#[allow(dead_code)]
struct Ticket {
    id: i64,
    #[tview(tenant)]
    org_id: i64,
    title: String,
    body: String,
    #[tview(filter)]
    open: bool,
    #[tview(sort)]
    due_at: DateTime<Utc>,
}

const TABLE: &str = "
CREATE TABLE tb_ticket (
    id int8 PRIMARY KEY, org_id int8 NOT NULL, title text NOT NULL, body text NOT NULL, open boolean NOT NULL,
    due_at timestamptz NOT NULL);
";

/// What was measured of a number of documents.
struct Measured {
    by_due_date: f64,
    next_page: f64,
    by_key: f64,
    hot: f64,
    plan: String,
}

pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    let server = Server::builder().start()?;
    println!(
        "{}, {} cores, {} tenants; medians of {} reads on one connection\n",
        server.description(),
        std::thread::available_parallelism().map_or(0, usize::from),
        options.tenants,
        options.reads
    );
    println!(
        "| documents | a tenant's 20 tickets by due date | the next 20 | one by key | HOT updates |"
    );
    println!("|---:|---:|---:|---:|---:|");
    let mut plan = String::new();
    let mut series = ["20 tickets by due date", "the next 20", "one by key"].map(|name| Series {
        name,
        times: Vec::new(),
    });
    for documents in &options.documents {
        let measured = measure(&server, *documents, &options).await?;
        println!(
            "| {documents} | {} | {} | {} | {:.0}% |",
            millis(measured.by_due_date),
            millis(measured.next_page),
            millis(measured.by_key),
            measured.hot * 100.0
        );
        ensure!(measured.hot >= 0.8, "less than 80% of the updates were HOT");
        plan = measured.plan;
        let times = [measured.by_due_date, measured.next_page, measured.by_key];
        for (series, time) in series.iter_mut().zip(times) {
            series.times.push(time);
        }
    }
    if let Some(path) = &options.plot {
        plot::by_documents(path, &options.documents, &series).context("drawing the plot")?;
    }
    println!("\n{plan}");
    Ok(())
}

async fn measure(server: &Server, documents: u32, options: &Options) -> anyhow::Result<Measured> {
    let pool = PgPoolOptions::new()
        .max_connections(4)
        .connect_with(server.create_database().await?)
        .await?;
    let model = ReadModel::builder().view::<Ticket>().build()?;
    sqlx::raw_sql(TABLE).execute(&pool).await?;
    // Tickets of a tenant are spread over the table.
    sqlx::query(
        "INSERT INTO tb_ticket
         SELECT n, n % $2, 'Ticket ' || n, repeat('It does not work. ', 10), n % 4 > 0,
             '2026-01-01T00:00:00Z'::timestamptz + (n::int8 * 7919 % 1000003) * interval '1 minute'
         FROM generate_series(1, $1) AS n",
    )
    .bind(i64::from(documents))
    .bind(i64::from(options.tenants))
    .execute(&pool)
    .await?;
    model.migrate(&pool).await?;
    sync_all_tickets(&pool).await?;
    sqlx::raw_sql("VACUUM ANALYZE").execute(&pool).await?;

    let by_due = |org| by_due_date(i64::from(org));
    let plan = by_due(7).limit(20).explain(&pool).await?;
    // The few documents of a small tenant are all read, and sorted.
    if documents / options.tenants >= 100 {
        for node in ["Sort", "Filter"] {
            ensure!(!plan.contains(node), "{documents} documents: {plan}");
        }
        let scans = plan.matches("Index Scan").count();
        ensure!(scans == 1, "{documents} documents: {plan}");
    }
    let mut connection = pool.acquire().await?;
    let (mut first, mut next, mut by_key) = (Times::default(), Times::default(), Times::default());
    for _ in 0..options.reads {
        let org = rand::rng().random_range(0..options.tenants);
        let list = by_due(org);
        let start = Instant::now();
        let page = list.page(Page::first(20), &mut connection).await?;
        first.push(start.elapsed());
        let start = Instant::now();
        list.page(Page::first(20).after(page.end().cloned()), &mut connection)
            .await?;
        next.push(start.elapsed());
        let id = i64::from(rand::rng().random_range(1..=documents));
        let start = Instant::now();
        let own = Ticket::of(id % i64::from(options.tenants));
        own.find_json(&mut connection, id)
            .await?
            .context("it is the tenant's")?;
        by_key.push(start.elapsed());
    }
    drop(connection);
    let measured = Measured {
        by_due_date: first.median(),
        next_page: next.median(),
        by_key: by_key.median(),
        hot: hot_updates(&pool, documents, options.updated).await?,
        plan,
    };
    pool.close().await;
    Ok(measured)
}

fn by_due_date(org: i64) -> List<Ticket> {
    Ticket::of(org).list().order_by(OrderBy::asc("dueAt"))
}

/// The share of HOT updates if no promoted value changes. Keys are random, and synced in batches.
async fn hot_updates(pool: &PgPool, documents: u32, share: f64) -> anyhow::Result<f64> {
    let keys: Vec<i64> = sqlx::query_scalar(
        "UPDATE tb_ticket SET title = title || '!' WHERE random() < $1 RETURNING id",
    )
    .bind(share)
    .fetch_all(pool)
    .await?;
    let mut keys = keys;
    // Not in the order of the table.
    keys.sort_by_key(|key| key.wrapping_mul(2_654_435_761) % i64::from(documents));
    const COUNTERS: &str =
        "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'tv_ticket'";
    let before: (i64, i64) = sqlx::query_as(COUNTERS).fetch_one(pool).await?;
    for batch in keys.chunks(200) {
        let report = sync_ticket(pool, batch).await?;
        ensure!(report.updated == batch.len() as u64, "{report}");
    }
    let after: (i64, i64) = loop {
        // A session reports its counters at the end of a transaction, once in a second.
        sqlx::raw_sql("SELECT pg_stat_clear_snapshot()")
            .execute(pool)
            .await?;
        let after: (i64, i64) = sqlx::query_as(COUNTERS).fetch_one(pool).await?;
        if after.0 - before.0 >= i64::try_from(keys.len())? {
            break after;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    };
    #[expect(clippy::cast_precision_loss, reason = "numbers of updates")]
    let share = (after.1 - before.1) as f64 / (after.0 - before.0) as f64;
    Ok(share)
}
