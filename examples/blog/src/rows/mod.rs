//! SQL on base tables: a trait for each table, and its implementation for a mutation.
//!
//! A command takes only the traits that it needs, so that its unit test implements only those.
//!
//! # Lock order
//!
//! A sync in a transaction locks the rows that it embeds `FOR SHARE`. Two commands that have each
//! changed a row which the other one's sync embeds would wait for each other: a deadlock, which
//! PostgreSQL resolves after a second, and after which a mutation is run again. To make that rare,
//! commands lock from parent to child, in the order of a cascading delete: users, posts, comments.
//! See `lock_authors` and `serialize_renames`.
#![expect(
    async_fn_in_trait,
    reason = "callers use concrete types, whose futures are Send"
)]

mod comments;
mod likes;
mod posts;
mod users;
mod views;

pub use comments::Comments;
pub use likes::Likes;
pub use posts::{NewPost, PostChange, Posts, UpdateOutcome};
pub use users::{NewUser, NewUsers, UserChange, Users};
pub use views::count_view;

use fraiseql_runtime::Mutation;
use uuid::Uuid;

use crate::service::{Error, Result};

/// Converts a unique violation to [`Error::Taken`].
fn map_taken(error: sqlx::Error, what: &'static str, name: &str) -> Error {
    match &error {
        sqlx::Error::Database(database) if database.is_unique_violation() => Error::Taken {
            what,
            name: name.to_owned(),
        },
        _ => error.into(),
    }
}

/// The row, or [`Error::NotFound`].
fn require_found<T>(row: Option<T>, what: &'static str, id: Uuid) -> Result<T> {
    row.ok_or(Error::NotFound { what, id })
}

/// Locks the authors of these posts and of their comments, and these users, against renames until
/// the transaction ends. The sync would lock the same users, but after the command has changed a
/// row: in the wrong order.
async fn lock_authors(m: &mut Mutation, posts: &[Uuid], users: &[Uuid]) -> Result<()> {
    sqlx::query(
        "SELECT FROM tb_user AS u
         WHERE u.pk_user = ANY (ARRAY(
             SELECT p.fk_author FROM tb_post AS p WHERE p.id = ANY ($1)
             UNION ALL
             SELECT c.fk_author FROM tb_post AS p JOIN tb_comment AS c ON c.fk_post = p.pk_post
             WHERE p.id = ANY ($1)
             UNION ALL
             SELECT pk_user FROM tb_user WHERE id = ANY ($2)
         ))
         ORDER BY u.pk_user
         FOR SHARE OF u",
    )
    .bind(posts)
    .bind(users)
    .execute(&mut **m)
    .await?;
    Ok(())
}

/// Serializes mutations that rename or delete users, by an advisory lock until the transaction
/// ends. A post embeds several names: two mutations that change two of them would each wait for
/// the user that the other one has changed.
async fn serialize_renames(m: &mut Mutation) -> Result<()> {
    const NAMES: i64 = 0x6e61_6d65; // "name"
    sqlx::query("SELECT pg_advisory_xact_lock($1)")
        .bind(NAMES)
        .execute(&mut **m)
        .await?;
    Ok(())
}

/// Reads the join key of a user, and locks the row against changes until the transaction ends.
async fn user_key(m: &mut Mutation, id: Uuid) -> Result<i64> {
    let key = sqlx::query_scalar("SELECT pk_user FROM tb_user WHERE id = $1 FOR SHARE")
        .bind(id)
        .fetch_optional(&mut **m)
        .await?;
    require_found(key, "user", id)
}

/// Reads the join key of a post, and locks the row against changes until the transaction ends.
async fn post_key(m: &mut Mutation, id: Uuid) -> Result<i64> {
    let key = sqlx::query_scalar("SELECT pk_post FROM tb_post WHERE id = $1 FOR SHARE")
        .bind(id)
        .fetch_optional(&mut **m)
        .await?;
    require_found(key, "post", id)
}

/// A text as part of a URL, of at most sixty characters. Empty if it has no letter and no digit.
fn slug(text: &str) -> String {
    let mut slug = slug::slugify(text);
    slug.truncate(60); // A slug is ASCII, so this cannot split a character.
    slug
}
