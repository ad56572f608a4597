//! The PostgreSQL server and the databases that all contenders use.

use anyhow::{Context, ensure};
use dev_postgres::Server;
use fraiseql_runtime::ReadModel;
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::contender::Contender;
use super::views::{json, jsonb};
use crate::blog::{self, Size};
use crate::sync::statement;

/// Number of posts of each author who is renamed.
const POSTS_OF_AUTHOR: i32 = 100;

/// Users 1 to $1 get $2 posts each and no comments; the other users get all other rows.
const SHARE_POSTS: &str = "
UPDATE tb_post AS p
SET author_id = md5('u' || share.author)::uuid
FROM (
  SELECT i, CASE WHEN i <= $1 * $2 THEN (i - 1) / $2 + 1 ELSE $1 + 1 + i % ($3 - $1) END AS author
  FROM generate_series(1, $4) AS i
) AS share
WHERE p.id = md5('p' || share.i)::uuid";
const SHARE_COMMENTS: &str = "
UPDATE tb_comment
SET author_id = md5('u' || $1 + 1 + abs(hashtext(id::text)) % ($2 - $1))::uuid
WHERE author_id IN (SELECT md5('u' || i)::uuid FROM generate_series(1, $1) AS i)";

const MATVIEW: &str = include_str!("../../peers/sql/matview.sql");
const TRIGGERS: &str = include_str!("../../peers/sql/triggers.sql");

/// The blog with its documents, on its own server.
pub(crate) struct Database {
    pub(crate) server: Server,
    pub(crate) pool: PgPool,
    pub(crate) options: PgConnectOptions,
    /// The keys of the posts, in pseudo-random order.
    pub(crate) posts: Vec<Uuid>,
    /// The users that clients rename.
    pub(crate) authors: Vec<Uuid>,
    /// Number of posts of each of them.
    pub(crate) posts_of_author: i32,
    /// A database with the same rows and with triggers.
    with_triggers: Option<PgConnectOptions>,
}

/// Numbers of rows to insert into the base tables.
struct Fill {
    size: Size,
    authors: i32,
    posts_of_author: i32,
}

impl Fill {
    async fn tables(&self, pool: &PgPool) -> anyhow::Result<Vec<Uuid>> {
        let posts = blog::create(pool, self.size).await?;
        sqlx::query(SHARE_POSTS)
            .bind(self.authors)
            .bind(self.posts_of_author)
            .bind(self.size.users)
            .bind(self.size.posts)
            .execute(pool)
            .await?;
        sqlx::query(SHARE_COMMENTS)
            .bind(self.authors)
            .bind(self.size.users)
            .execute(pool)
            .await?;
        Ok(posts)
    }
}

impl Database {
    /// Starts a server and loads the blog. `authors` is the number of users to rename, one for each
    /// client.
    pub(crate) async fn load(
        size: Size,
        authors: usize,
        contenders: &[Contender],
    ) -> anyhow::Result<Self> {
        let authors = i32::try_from(authors)?;
        ensure!(
            size.users > authors && size.posts >= authors,
            "there must be more users than the {authors} who are renamed, and as many posts"
        );
        let server = Server::builder()
            // The settings and the socket of the server affect the results.
            .ignore_database_url()
            .setting("fsync", "on")
            .setting("synchronous_commit", "on")
            .setting("full_page_writes", "on")
            .setting("shared_buffers", "512MB")
            .setting("jit", "off")
            // All servers keep their connections while others take their turns.
            .setting("max_connections", "300")
            // All tables are in memory. With the default, which is for spinning disks, statements on
            // base tables would scan all users to join a few.
            .setting("random_page_cost", "1.1")
            .start()?;
        let options = server.create_database().await?;
        let pool = PgPoolOptions::new()
            .max_connections(2)
            .connect_with(options.clone())
            .await?;
        let posts_of_author = POSTS_OF_AUTHOR.min(size.posts / authors);
        let fill = Fill {
            size,
            authors,
            posts_of_author,
        };
        let posts = fill.tables(&pool).await?;
        let mut with_triggers = None;
        if contenders.contains(&Contender::Triggers) {
            // A database of its own, because triggers would slow down all other contenders' writes.
            let options = server.create_database().await?;
            let pool = PgPoolOptions::new().connect_with(options.clone()).await?;
            fill.tables(&pool).await?;
            add_triggers(&pool).await?;
            sqlx::raw_sql("VACUUM ANALYZE").execute(&pool).await?;
            pool.close().await;
            with_triggers = Some(options);
        }
        if contenders.contains(&Contender::Matview) {
            sqlx::raw_sql(statement(MATVIEW, "true"))
                .execute(&pool)
                .await?;
        }
        let authors =
            sqlx::query_scalar("SELECT md5('u' || i)::uuid FROM generate_series(1, $1) AS i")
                .bind(authors)
                .fetch_all(&pool)
                .await?;
        ReadModel::builder()
            .view::<json::Post>()
            .view::<jsonb::Post>()
            .build()?
            .migrate(&pool)
            .await?;
        jsonb::sync_all_posts(&pool).await?.ensure_valid()?;
        json::sync_all_posts(&pool).await?.ensure_valid()?;
        sqlx::raw_sql("VACUUM ANALYZE").execute(&pool).await?;
        sqlx::raw_sql("CHECKPOINT").execute(&pool).await?;
        Ok(Self {
            server,
            pool,
            options,
            posts,
            authors,
            posts_of_author,
            with_triggers,
        })
    }

    /// The database of a contender.
    pub(crate) fn of(&self, contender: Contender) -> &PgConnectOptions {
        match (&self.with_triggers, contender) {
            (Some(options), Contender::Triggers) => options,
            _ => &self.options,
        }
    }

    /// Environment variables for libpq, sqlx and node-postgres with which a program connects.
    pub(crate) fn environment(
        options: &PgConnectOptions,
        application: &str,
    ) -> anyhow::Result<Vec<(&'static str, String)>> {
        let socket = options.get_socket().context("the server has a socket")?;
        Ok(vec![
            ("PGHOST", socket.display().to_string()),
            ("PGPORT", options.get_port().to_string()),
            ("PGUSER", options.get_username().to_owned()),
            (
                "PGDATABASE",
                options.get_database().unwrap_or("postgres").to_owned(),
            ),
            ("PGAPPNAME", application.to_owned()),
        ])
    }
}

/// Adds triggers that maintain documents in their own table.
pub(crate) async fn add_triggers(pool: &PgPool) -> anyhow::Result<()> {
    let triggers = statement(TRIGGERS, "true");
    sqlx::raw_sql(triggers).execute(pool).await?;
    Ok(())
}
