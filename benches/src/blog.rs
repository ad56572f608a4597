//! The measured data set: a blog's tables, rows and views.

use anyhow::Context;
use chrono::{DateTime, Utc};
use dev_postgres::Server;
use fraiseql_runtime::{Embed, ReadModel, TView};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use uuid::Uuid;

/// The base tables, with the indexes that an application would have.
const TABLES: &str = "
CREATE TABLE tb_user (
    id uuid PRIMARY KEY,
    username text NOT NULL,
    full_name text NOT NULL,
    email text NOT NULL
);
CREATE TABLE tb_post (
    id uuid PRIMARY KEY,
    author_id uuid NOT NULL REFERENCES tb_user,
    title text NOT NULL,
    content text NOT NULL,
    published boolean NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE TABLE tb_comment (
    id uuid PRIMARY KEY,
    post_id uuid NOT NULL REFERENCES tb_post ON DELETE CASCADE,
    author_id uuid NOT NULL REFERENCES tb_user,
    content text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX ON tb_post (author_id);
CREATE INDEX ON tb_comment (post_id, created_at);
CREATE INDEX ON tb_comment (author_id);
";

/// Numbers of rows.
#[derive(Clone, Copy, Debug, clap::Args, serde::Serialize)]
pub(crate) struct Size {
    /// Number of users.
    #[arg(long, default_value_t = 1_000)]
    pub(crate) users: i32,
    /// Number of posts.
    #[arg(long, default_value_t = 10_000)]
    pub(crate) posts: i32,
    /// Number of comments.
    #[arg(long, default_value_t = 100_000)]
    pub(crate) comments: i32,
}

/// The blog on its own server, which stops when this value is dropped.
pub(crate) struct Blog {
    pub(crate) server: Server,
    pub(crate) pool: PgPool,
    /// The keys of the posts, in pseudo-random order.
    pub(crate) posts: Vec<Uuid>,
}

/// Starts a server that is durable, as in production, because the cost of a commit is part of what is
/// measured.
pub(crate) fn durable_server() -> anyhow::Result<Server> {
    Ok(Server::builder()
        .setting("fsync", "on")
        .setting("synchronous_commit", "on")
        .setting("full_page_writes", "on")
        .setting("shared_buffers", "512MB")
        .setting("jit", "off")
        .start()?)
}

impl Blog {
    /// Starts a server and loads the blog.
    pub(crate) async fn load(size: Size) -> anyhow::Result<Self> {
        let server = durable_server()?;
        let pool = PgPoolOptions::new()
            .max_connections(2)
            .connect_with(server.create_database().await?)
            .await?;
        eprintln!("{}: loading {size:?}", server.description());
        let posts = create(&pool, size).await?;
        Ok(Self {
            server,
            pool,
            posts,
        })
    }
}

#[derive(Debug, Embed)]
#[tview(table = "tb_user")]
pub(crate) struct Author {
    pub(crate) id: Uuid,
    pub(crate) username: String,
    pub(crate) full_name: String,
}

#[derive(Debug, Embed)]
#[tview(table = "tb_comment")]
pub(crate) struct Comment {
    pub(crate) id: Uuid,
    pub(crate) content: String,
    pub(crate) created_at: DateTime<Utc>,
    #[tview(one(fk = "author_id"))]
    pub(crate) author: Author,
}

#[derive(Debug, TView)]
pub(crate) struct Post {
    pub(crate) id: Uuid,
    pub(crate) title: String,
    pub(crate) content: String,
    pub(crate) published: bool,
    #[tview(filter, sort)]
    pub(crate) created_at: DateTime<Utc>,
    #[tview(one(fk = "author_id"))]
    pub(crate) author: Author,
    #[tview(many(fk = "post_id", order_by = "created_at DESC"))]
    pub(crate) comments: Vec<Comment>,
    #[tview(count(table = "tb_comment", fk = "post_id"))]
    pub(crate) comment_count: i64,
}

/// Creates and fills the base tables, creates the view table, and returns the posts' keys.
pub(crate) async fn create(pool: &PgPool, size: Size) -> anyhow::Result<Vec<Uuid>> {
    sqlx::raw_sql(TABLES).execute(pool).await?;
    // Rows are distributed pseudo-randomly, and equal in every run.
    sqlx::query(
        "INSERT INTO tb_user
         SELECT md5('u' || i)::uuid, 'user' || i, 'User Number ' || i, 'u' || i || '@example.com'
         FROM generate_series(1, $1) AS i",
    )
    .bind(size.users)
    .execute(pool)
    .await?;
    sqlx::query(
        "INSERT INTO tb_post
         SELECT md5('p' || i)::uuid, md5('u' || (i % $2 + 1))::uuid, 'Post number ' || i,
                repeat('Lorem ipsum dolor sit amet. ', 20), i % 3 > 0,
                '2026-01-01'::timestamptz + i * interval '61.234567 seconds'
         FROM generate_series(1, $1) AS i",
    )
    .bind(size.posts)
    .bind(size.users)
    .execute(pool)
    .await?;
    sqlx::query(
        "INSERT INTO tb_comment
         SELECT md5('c' || i)::uuid, md5('p' || (i::bigint * 7919 % $2 + 1))::uuid,
                md5('u' || (i::bigint * 104729 % $3 + 1))::uuid,
                'Comment number ' || i || ' says something of average length about it.',
                '2026-02-01'::timestamptz + i * interval '1.5 seconds'
         FROM generate_series(1, $1) AS i",
    )
    .bind(size.comments)
    .bind(size.posts)
    .bind(size.users)
    .execute(pool)
    .await?;
    ReadModel::builder()
        .view::<Post>()
        .build()?
        .migrate(pool)
        .await?;
    sqlx::raw_sql("VACUUM ANALYZE").execute(pool).await?;
    sqlx::query_scalar("SELECT id FROM tb_post ORDER BY md5(id::text)")
        .fetch_all(pool)
        .await
        .context("reading the keys")
}
