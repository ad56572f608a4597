//! Sample rows for an empty blog.

use std::time::Duration;

use anyhow::Result;
use fraiseql_runtime::ReadModel;
use fraiseql_runtime::sync::{FullSync, Observed};
use indicatif::{ProgressBar, ProgressStyle};
use sqlx::PgPool;
use uuid::Uuid;

use crate::views::{sync_all_comments, sync_all_posts, sync_all_users};

/// The ID of the first user, so that examples and scripts can name one.
pub const FIRST_USER: Uuid = Uuid::from_u128(1);
/// Posts that one statement inserts.
const POSTS_PER_STATEMENT: usize = 1_000;
/// Comments on each post.
const COMMENTS_PER_POST: u32 = 10;

/// Fills an empty blog with `posts` posts, a tenth as many users and ten times as many comments,
/// and syncs their documents by full syncs, which is faster than by a worker. A blog that has users is left as it is.
///
/// # Errors
/// Errors of the database.
pub async fn fill(blog: &ReadModel, pool: &PgPool, posts: u32) -> Result<()> {
    let filled: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM tb_user)")
        .fetch_one(pool)
        .await?;
    if filled || posts == 0 {
        return Ok(());
    }
    let users = posts.div_ceil(10);
    insert_rows(pool, users, posts).await?;
    // Plans that were cached while the tables were empty would scan them.
    sqlx::raw_sql("ANALYZE").execute(pool).await?;

    let pool = || blog.on(pool);
    sync_documents("users", users, sync_all_users(pool())).await?;
    sync_documents("posts", posts, sync_all_posts(pool())).await?;
    let comments = posts * COMMENTS_PER_POST;
    sync_documents("comments", comments, sync_all_comments(pool())).await?;
    Ok(())
}

async fn insert_rows(pool: &PgPool, users: u32, posts: u32) -> Result<()> {
    let bar = progress_bar(posts, "rows");
    let users = i32::try_from(users)?;
    sqlx::query(
        "INSERT INTO tb_user (id, identifier, username, full_name)
         SELECT CASE WHEN i = 1 THEN $2 ELSE gen_random_uuid() END,
                'user' || i, 'user' || i, 'User Number ' || i
         FROM generate_series(1, $1) AS i",
    )
    .bind(users)
    .bind(FIRST_USER)
    .execute(pool)
    .await?;
    sqlx::raw_sql(
        "INSERT INTO tb_tag (identifier, name)
         VALUES ('rust', 'Rust'), ('postgres', 'PostgreSQL'), ('graphql', 'GraphQL'), ('sql', 'SQL')",
    )
    .execute(pool)
    .await?;
    for from in (0..posts).step_by(POSTS_PER_STATEMENT) {
        let to = posts.min(from + u32::try_from(POSTS_PER_STATEMENT)?);
        sqlx::query(
            "WITH new AS (
                 INSERT INTO tb_post (identifier, fk_author, title, content, published_at, created_at)
                 SELECT 'post-' || i, u.pk_user, 'Post Number ' || i,
                        repeat('What there is to say about post ' || i || '. ', 10),
                        CASE WHEN i % 10 > 0 THEN now() - ($2 - i) * interval '1 minute' END,
                        now() - ($2 - i) * interval '1 minute'
                 FROM generate_series($1 + 1, $2) AS i
                 JOIN tb_user AS u ON u.identifier = 'user' || (i % $3 + 1)
                 RETURNING pk_post, created_at
             ),
             tagged AS (
                 INSERT INTO tb_post_tag
                 SELECT new.pk_post, t.pk_tag FROM new JOIN tb_tag AS t ON new.pk_post % 4 <> t.pk_tag % 4
             ),
             liked AS (
                 INSERT INTO tb_like
                 SELECT new.pk_post, u.pk_user FROM new
                 JOIN tb_user AS u ON u.pk_user <= new.pk_post % 5
             )
             INSERT INTO tb_comment (fk_post, fk_author, content, created_at)
             SELECT new.pk_post, u.pk_user, 'Comment number ' || n,
                    new.created_at + n * interval '1 second'
             FROM new CROSS JOIN generate_series(1, $4) AS n
             JOIN tb_user AS u ON u.identifier = 'user' || ((new.pk_post * 7 + n * 13) % $3 + 1)",
        )
        .bind(i32::try_from(from)?)
        .bind(i32::try_from(to)?)
        .bind(users)
        .bind(i32::try_from(COMMENTS_PER_POST)?)
        .execute(pool)
        .await?;
        bar.set_position(u64::from(to));
    }
    bar.finish_and_clear();
    Ok(())
}

async fn sync_documents(
    what: &'static str,
    count: u32,
    sync: FullSync<'_, Observed<&PgPool>>,
) -> Result<()> {
    let bar = progress_bar(count, what);
    sync.on_progress(|progress| bar.set_position(progress.report.total()))
        .await?
        .ensure_valid()?;
    bar.finish_and_clear();
    Ok(())
}

fn progress_bar(total: u32, message: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(total.into()).with_message(message);
    if let Ok(style) =
        ProgressStyle::with_template("{msg:>10} {bar:40.cyan/blue} {pos}/{len} {per_sec}")
    {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}
