//! `tb_like`.

use sqlx::PgPool;
use uuid::Uuid;

use super::found;
use crate::service::Result;

/// Rows of likes.
pub trait Likes {
    /// A user likes a post. It is not counted twice.
    ///
    /// # Errors
    /// When there is no such user or post.
    async fn insert_like(&mut self, post: Uuid, user: Uuid) -> Result<()>;
}

impl Likes for PgPool {
    async fn insert_like(&mut self, post: Uuid, user: Uuid) -> Result<()> {
        let (has_post, has_user) = sqlx::query_as(
            "WITH p AS (SELECT pk_post FROM tb_post WHERE id = $1),
                  u AS (SELECT pk_user FROM tb_user WHERE id = $2),
                  new AS (
                      INSERT INTO tb_like (fk_post, fk_user)
                      SELECT p.pk_post, u.pk_user FROM p CROSS JOIN u
                      ON CONFLICT DO NOTHING
                  )
             SELECT EXISTS (SELECT FROM p), EXISTS (SELECT FROM u)",
        )
        .bind(post)
        .bind(user)
        .fetch_one(&*self)
        .await?;
        found(bool::then_some(has_post, ()), "post", post)?;
        found(bool::then_some(has_user, ()), "user", user)
    }
}
