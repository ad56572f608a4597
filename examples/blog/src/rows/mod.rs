//! The SQL on base tables: what a command asks of the database, as traits, and their statements.
//!
//! There is a trait for each table, so that a command says what it needs, and a unit test stands
//! in for that alone.
//!
//! # Locks
//!
//! A sync in a transaction locks the rows that it embeds `FOR SHARE`. A command that changes one of
//! them before that, and waits for another one, may wait for somebody who waits for it: a deadlock,
//! which PostgreSQL ends after a second, and after which a mutation is run again. To have few,
//! commands lock from the parent to the child, as a cascade does: users, posts, comments. See
//! `hold_names` and `take_turns`.
#![expect(
    async_fn_in_trait,
    reason = "they are called with their own types, whose futures can be sent"
)]

mod comments;
mod likes;
mod posts;
mod users;

pub use comments::Comments;
pub use likes::Likes;
pub use posts::{NewPost, PostChange, Posts, Updated};
pub use users::{NewUser, NewUsers, UserChange, Users};

use fraiseql_runtime::Mutation;
use uuid::Uuid;

use crate::service::{Error, Result};

/// What the database says of a name that is there already, in words for who gave it.
fn taken(error: sqlx::Error, what: &'static str, name: &str) -> Error {
    match &error {
        sqlx::Error::Database(database) if database.is_unique_violation() => Error::Taken {
            what,
            name: name.to_owned(),
        },
        _ => error.into(),
    }
}

/// What was found, or an error that says what was not.
fn found<T>(row: Option<T>, what: &'static str, id: Uuid) -> Result<T> {
    row.ok_or(Error::NotFound { what, id })
}

/// The names that stand in these posts, and those of these users, stay as they are until the
/// mutation is over. The sync would wait for them, too, but later, with the changed row in its
/// hands.
async fn hold_names(m: &mut Mutation, posts: &[Uuid], users: &[Uuid]) -> Result<()> {
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

/// Those who change names wait for each other, as long as the mutation lasts. A post has many names
/// in it: of two who change two of them, each would wait for the other's.
async fn take_turns(m: &mut Mutation) -> Result<()> {
    const NAMES: i64 = 0x6e61_6d65;
    sqlx::query("SELECT pg_advisory_xact_lock($1)")
        .bind(NAMES)
        .execute(&mut **m)
        .await?;
    Ok(())
}

/// The key that tables join users by; the user stays as it is until the mutation is over.
async fn user_key(m: &mut Mutation, id: Uuid) -> Result<i64> {
    let key = sqlx::query_scalar("SELECT pk_user FROM tb_user WHERE id = $1 FOR SHARE")
        .bind(id)
        .fetch_optional(&mut **m)
        .await?;
    found(key, "user", id)
}

/// The key that tables join posts by; the post stays as it is until the mutation is over.
async fn post_key(m: &mut Mutation, id: Uuid) -> Result<i64> {
    let key = sqlx::query_scalar("SELECT pk_post FROM tb_post WHERE id = $1 FOR SHARE")
        .bind(id)
        .fetch_optional(&mut **m)
        .await?;
    found(key, "post", id)
}

/// A text as a part of an address. At most sixty characters, and none where it has no letter and
/// no digit.
fn slug(text: &str) -> String {
    let mut slug = slug::slugify(text);
    slug.truncate(60); // It is ASCII.
    slug
}
