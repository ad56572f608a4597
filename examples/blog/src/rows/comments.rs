//! SQL on `tb_comment`.

use fraiseql_runtime::Mutation;
use uuid::Uuid;

use super::{lock_authors, post_key, require_found};
use crate::service::Result;

/// Statements on rows of comments.
pub trait Comments {
    /// Adds a comment to a post.
    ///
    /// # Errors
    /// If the post or the author does not exist.
    async fn insert_comment(&mut self, post: Uuid, author: Uuid, content: &str) -> Result<Uuid>;

    /// Locks what a comment's move to another post, or its deletion, will sync: in the order of all
    /// commands, so before the row of the comment.
    ///
    /// # Errors
    /// If the comment or the other post does not exist.
    async fn lock_comment(&mut self, id: Uuid, to: Option<Uuid>) -> Result<()>;

    /// Deletes a comment, and returns the post that it was on.
    ///
    /// # Errors
    /// If the comment does not exist.
    async fn delete_comment(&mut self, id: Uuid) -> Result<Uuid>;

    /// Moves a comment to another post.
    ///
    /// # Errors
    /// If the comment or the post does not exist.
    async fn move_comment(&mut self, id: Uuid, post: Uuid) -> Result<()>;
}

impl Comments for Mutation {
    async fn insert_comment(&mut self, post: Uuid, author: Uuid, content: &str) -> Result<Uuid> {
        lock_authors(self, &[post], &[author]).await?;
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
        require_found(id, "user", author)
    }

    async fn lock_comment(&mut self, id: Uuid, to: Option<Uuid>) -> Result<()> {
        let from = post_of(self, id).await?;
        let to = to.unwrap_or(from);
        lock_authors(self, &[from, to], &[]).await?;
        post_key(self, to).await?;
        Ok(())
    }

    async fn delete_comment(&mut self, id: Uuid) -> Result<Uuid> {
        let post_key: Option<i64> =
            sqlx::query_scalar("DELETE FROM tb_comment WHERE id = $1 RETURNING fk_post")
                .bind(id)
                .fetch_optional(&mut **self)
                .await?;
        // Another client may have moved the comment since it was locked, so the post is that of the
        // deleted row.
        let post = sqlx::query_scalar("SELECT id FROM tb_post WHERE pk_post = $1")
            .bind(require_found(post_key, "comment", id)?)
            .fetch_one(&mut **self)
            .await?;
        Ok(post)
    }

    async fn move_comment(&mut self, id: Uuid, post: Uuid) -> Result<()> {
        let moved = sqlx::query(
            "UPDATE tb_comment SET fk_post = p.pk_post FROM tb_post AS p
             WHERE tb_comment.id = $1 AND p.id = $2",
        )
        .bind(id)
        .bind(post)
        .execute(&mut **self)
        .await?;
        require_found((moved.rows_affected() == 1).then_some(()), "comment", id)
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
    require_found(post, "comment", comment)
}
