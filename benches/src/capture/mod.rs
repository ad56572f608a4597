//! What captured changes cost, and how far documents are behind.
//!
//! | module | |
//! |---|---|
//! | `triggers` | statements with triggers, against the same without |
//! | `drain` | changed rows a second, and the time from a commit to its document |
//! | `commit` | clients that share few documents, which are synced when they commit |

mod commit;
mod drain;
mod triggers;

use dev_postgres::Server;
use fraiseql_runtime::{Capture, ReadModel};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use uuid::Uuid;

use crate::blog::{self, Post, Size, durable_server, sync_all_posts};

/// Options of `capture`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Few rows and rounds: it runs, and the figures mean nothing.
    #[arg(long)]
    quick: bool,
}

/// The blog in one database.
struct World {
    pool: PgPool,
    model: ReadModel,
    posts: Vec<Uuid>,
    size: Size,
}

impl World {
    async fn load(server: &Server, capture: Capture, size: Size) -> anyhow::Result<Self> {
        let pool = PgPoolOptions::new()
            .max_connections(10)
            .connect_with(server.create_database().await?)
            .await?;
        let posts = blog::create(&pool, size).await?;
        let model = ReadModel::builder()
            .view::<Post>()
            .capture(capture)
            .build()?;
        model.migrate(&pool).await?;
        sync_all_posts(&pool).await?;
        model.worker(&pool).drain().await?;
        sqlx::raw_sql("VACUUM ANALYZE").execute(&pool).await?;
        Ok(Self {
            pool,
            model,
            posts,
            size,
        })
    }
}

pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    let server = durable_server()?;
    let size = match options.quick {
        true => Size {
            users: 20,
            posts: 200,
            comments: 1_000,
        },
        false => Size {
            users: 1_000,
            posts: 10_000,
            comments: 100_000,
        },
    };
    println!(
        "{}, {} cores, {} posts, {} users, {} comments; medians; the load is that of the last minute\n",
        server.description(),
        std::thread::available_parallelism().map_or(0, usize::from),
        size.posts,
        size.users,
        size.comments
    );
    let off = World::load(&server, Capture::Off, size).await?;
    let queue = World::load(&server, Capture::Queue, size).await?;
    triggers::run(&off, &queue, options.quick).await?;
    drain::run(&queue, options.quick).await?;
    let at_commit = World::load(&server, Capture::AtCommit, size).await?;
    commit::run(&at_commit, options.quick).await
}

/// The load of the machine, as it is printed with each figure.
fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = text.split(' ').next().unwrap_or_default();
    format!("load {load}")
}
