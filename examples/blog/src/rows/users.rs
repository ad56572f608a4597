//! SQL on `tb_user`.

use fraiseql_runtime::Mutation;
use sqlx::PgPool;
use uuid::Uuid;

use super::{map_taken, require_found, serialize_renames, slug};
use crate::service::Result;

/// A new user.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// The unique name.
    pub username: String,
    /// The display name.
    pub full_name: String,
    /// A text by the user about themselves.
    pub bio: Option<String>,
}

/// A change of a user; `None` keeps the value.
#[derive(Clone, Debug, Default)]
pub struct UserChange {
    /// The unique name.
    pub username: Option<String>,
    /// The display name.
    pub full_name: Option<String>,
    /// A text by the user about themselves; `Some(None)` removes it.
    pub bio: Option<Option<String>>,
}

/// Inserts users. It is apart from [`Users`] because `createUser` runs without a mutation.
pub trait NewUsers {
    /// Adds a user.
    ///
    /// # Errors
    /// If the username is taken.
    async fn insert_user(&mut self, user: &NewUser) -> Result<Uuid>;
}

/// Statements on rows of users.
pub trait Users {
    /// Changes a user. Returns whether a name has changed.
    ///
    /// # Errors
    /// If the user does not exist, or the username is taken.
    async fn update_user(&mut self, id: Uuid, change: &UserChange) -> Result<bool>;

    /// Waits for other mutations that rename or delete users, before any row is locked.
    ///
    /// # Errors
    /// If the database refuses.
    async fn lock_names(&mut self) -> Result<()>;

    /// Deletes a user with all posts, comments and likes.
    ///
    /// # Errors
    /// If the user does not exist.
    async fn delete_user(&mut self, id: Uuid) -> Result<()>;
}

impl NewUsers for PgPool {
    async fn insert_user(&mut self, user: &NewUser) -> Result<Uuid> {
        sqlx::query_scalar(
            "INSERT INTO tb_user (identifier, username, full_name, bio)
             VALUES ($1, $2, $3, $4)
             RETURNING id",
        )
        .bind(slug(&user.username))
        .bind(&user.username)
        .bind(&user.full_name)
        .bind(&user.bio)
        .fetch_one(&*self)
        .await
        .map_err(|error| map_taken(error, "username", &user.username))
    }
}

impl Users for Mutation {
    async fn update_user(&mut self, id: Uuid, change: &UserChange) -> Result<bool> {
        serialize_renames(self).await?;
        let identifier = change.username.as_deref().map(slug);
        let renamed = sqlx::query_scalar(
            "WITH before AS (SELECT * FROM tb_user WHERE id = $1 FOR NO KEY UPDATE)
             UPDATE tb_user AS u
             SET identifier = coalesce($2, u.identifier),
                 username = coalesce($3, u.username),
                 full_name = coalesce($4, u.full_name),
                 bio = CASE WHEN $5 THEN $6 ELSE u.bio END
             FROM before
             WHERE u.pk_user = before.pk_user
             RETURNING (u.username, u.full_name) <> (before.username, before.full_name)",
        )
        .bind(id)
        .bind(identifier)
        .bind(&change.username)
        .bind(&change.full_name)
        .bind(change.bio.is_some())
        .bind(change.bio.as_ref().and_then(Option::as_ref))
        .fetch_optional(&mut **self)
        .await
        .map_err(|error| map_taken(error, "username", change.username.as_deref().unwrap_or("")))?;
        require_found(renamed, "user", id)
    }

    async fn lock_names(&mut self) -> Result<()> {
        serialize_renames(self).await
    }

    async fn delete_user(&mut self, id: Uuid) -> Result<()> {
        let deleted = sqlx::query_scalar("DELETE FROM tb_user WHERE id = $1 RETURNING 1")
            .bind(id)
            .fetch_optional(&mut **self)
            .await?;
        require_found::<i32>(deleted, "user", id).map(drop)
    }
}
