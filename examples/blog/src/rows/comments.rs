//! `tb_comment`.

use fraiseql_runtime::Mutation;
use uuid::Uuid;

use super::{found, post_key};
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
        let post = sqlx::query_scalar(
            "DELETE FROM tb_comment AS c USING tb_post AS p
             WHERE c.id = $1 AND p.pk_post = c.fk_post
             RETURNING p.id",
        )
        .bind(id)
        .fetch_optional(&mut **self)
        .await?;
        found(post, "comment", id)
    }

    async fn move_comment(&mut self, id: Uuid, post: Uuid) -> Result<()> {
        let post_key = post_key(self, post).await?;
        let moved = sqlx::query("UPDATE tb_comment SET fk_post = $2 WHERE id = $1")
            .bind(id)
            .bind(post_key)
            .execute(&mut **self)
            .await?;
        found((moved.rows_affected() == 1).then_some(()), "comment", id)
    }
}
