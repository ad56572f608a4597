//! The blog's base tables and sample rows. In an application, base tables and their migrations are
//! its own.

use std::time::Duration;

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};
use sqlx::PgPool;

const TABLES: &str = "
CREATE TABLE tb_user (
    id uuid PRIMARY KEY,
    username text NOT NULL UNIQUE,
    full_name text NOT NULL
);
CREATE TABLE tb_post (
    id uuid PRIMARY KEY,
    author_id uuid NOT NULL REFERENCES tb_user,
    title text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX ON tb_post (author_id);
CREATE TABLE tb_comment (
    id uuid PRIMARY KEY,
    post_id uuid NOT NULL REFERENCES tb_post ON DELETE CASCADE,
    author_id uuid NOT NULL REFERENCES tb_user,
    content text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX ON tb_comment (post_id, created_at);
";

/// Posts that one statement inserts.
const POSTS_PER_STATEMENT: u32 = 1_000;
/// Comments for each post.
const COMMENTS_PER_POST: i32 = 10;

/// Creates the base tables.
pub(crate) async fn create(pool: &PgPool) -> Result<()> {
    sqlx::raw_sql(TABLES).execute(pool).await?;
    Ok(())
}

/// Loads `posts` posts, a tenth as many users, and ten times as many comments.
pub(crate) async fn load(pool: &PgPool, posts: u32) -> Result<()> {
    let users = i32::try_from(posts.div_ceil(10))?;
    sqlx::query(
        "INSERT INTO tb_user
         SELECT md5('user' || i)::uuid, 'user' || i, 'User Number ' || i
         FROM generate_series(1, $1) AS i",
    )
    .bind(users)
    .execute(pool)
    .await?;
    let bar = bar(u64::from(posts), "loading posts");
    for from in (0..posts).step_by(POSTS_PER_STATEMENT as usize) {
        let to = (from + POSTS_PER_STATEMENT).min(posts);
        sqlx::query(
            "WITH new AS (
                 INSERT INTO tb_post
                 SELECT md5('post' || i)::uuid, md5('user' || (i % $3 + 1))::uuid,
                        'Post number ' || i, '2026-01-01'::timestamptz + i * interval '1 minute'
                 FROM generate_series($1 + 1, $2) AS i
                 RETURNING id, created_at
             )
             INSERT INTO tb_comment
             SELECT gen_random_uuid(), new.id,
                    md5('user' || (abs(hashtext(new.id::text || n) % $3) + 1))::uuid,
                    'Comment number ' || n, new.created_at + n * interval '1 second'
             FROM new CROSS JOIN generate_series(1, $4) AS n",
        )
        .bind(i32::try_from(from)?)
        .bind(i32::try_from(to)?)
        .bind(users)
        .bind(COMMENTS_PER_POST)
        .execute(pool)
        .await?;
        bar.set_position(u64::from(to));
    }
    bar.finish_and_clear();
    sqlx::raw_sql("ANALYZE").execute(pool).await?;
    Ok(())
}

/// A progress bar.
pub(crate) fn bar(total: u64, message: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(total).with_message(message);
    if let Ok(style) =
        ProgressStyle::with_template("{msg:>16} {bar:40.cyan/blue} {pos}/{len} {per_sec}")
    {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}
