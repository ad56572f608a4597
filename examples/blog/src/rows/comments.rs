//! `tb_comment`.

use fraiseql_runtime::Mutation;
use uuid::Uuid;

use super::{found, hold_names, post_key};
use crate::service::Result;

/// Rows of comments.
pub trait Comments {
    /// Adds a comment to a post.
    ///
    /// # Errors
    /// When there is no such post or author.
    async fn insert_comment(&mut self, post: Uuid, author: Uuid, content: &str) -> Result<Uuid>;

    /// Deletes a comment, and says from which post.
    ///
    /// # Errors
    /// When there is none.
    async fn delete_comment(&mut self, id: Uuid) -> Result<Uuid>;

    /// Moves a comment to another post.
    ///
    /// # Errors
    /// When there is no such comment or post.
    async fn move_comment(&mut self, id: Uuid, post: Uuid) -> Result<()>;
}

impl Comments for Mutation {
    async fn insert_comment(&mut self, post: Uuid, author: Uuid, content: &str) -> Result<Uuid> {
        hold_names(self, &[post], &[author]).await?;
        let post_key = post_key(self, post).await?;
        let id = sqlx::query_scalar(
            "INSERT INTO tb_comment (fk_post, fk_author, content)
             SELECT $1, u.pk_user, $3 FROM tb_user AS u WHERE u.id = $2
             RETURNING id",
        )
        .bind(post_key)
        .bind(author)
        .bind(content)
        .fetch_optional(&mut **self)
        .await?;
        found(id, "user", author)
    }

    async fn delete_comment(&mut self, id: Uuid) -> Result<Uuid> {
        let post = post_of(self, id).await?;
        hold_names(self, &[post], &[]).await?;
        post_key(self, post).await?;
        let post_key: Option<i64> =
            sqlx::query_scalar("DELETE FROM tb_comment WHERE id = $1 RETURNING fk_post")
                .bind(id)
                .fetch_optional(&mut **self)
                .await?;
        // Somebody may have moved it meanwhile.
        let post = sqlx::query_scalar("SELECT id FROM tb_post WHERE pk_post = $1")
            .bind(found(post_key, "comment", id)?)
            .fetch_one(&mut **self)
            .await?;
        Ok(post)
    }

    async fn move_comment(&mut self, id: Uuid, post: Uuid) -> Result<()> {
        let from = post_of(self, id).await?;
        hold_names(self, &[from, post], &[]).await?;
        let post_key = post_key(self, post).await?;
        let moved = sqlx::query("UPDATE tb_comment SET fk_post = $2 WHERE id = $1")
            .bind(id)
            .bind(post_key)
            .execute(&mut **self)
            .await?;
        found((moved.rows_affected() == 1).then_some(()), "comment", id)
    }
}

/// The post that a comment is on.
async fn post_of(m: &mut Mutation, comment: Uuid) -> Result<Uuid> {
    let post = sqlx::query_scalar(
        "SELECT p.id FROM tb_comment AS c JOIN tb_post AS p ON p.pk_post = c.fk_post
         WHERE c.id = $1",
    )
    .bind(comment)
    .fetch_optional(&mut **m)
    .await?;
    found(post, "comment", comment)
}
