//! The SQL on base tables: what a command asks of the database, as traits, and their statements.
//!
//! There is a trait for each table, so that a command says what it needs, and a unit test stands
//! in for that alone.
//!
//! Rows are locked as a cascade does, from the parent to the child: users, then posts, then
//! comments. One that will be embedded is locked `FOR SHARE` at once, as its sync would do later.
//! So those who meet wait for each other at the beginning, when they hold nothing that others wait
//! for, and few end in a deadlock, after which a mutation is run again.
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
