//! `tb_like`.

use fraiseql_runtime::Mutation;
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

impl Likes for Mutation {
    async fn insert_like(&mut self, post: Uuid, user: Uuid) -> Result<()> {
        let (has_user, has_post) = sqlx::query_as(
            "WITH u AS (SELECT pk_user FROM tb_user WHERE id = $2 FOR KEY SHARE),
                  p AS (
                      SELECT pk_post FROM tb_post
                      WHERE id = $1 AND EXISTS (SELECT FROM u) FOR KEY SHARE
                  ),
                  new AS (
                      INSERT INTO tb_like (fk_post, fk_user)
                      SELECT p.pk_post, u.pk_user FROM u CROSS JOIN p
                      ON CONFLICT DO NOTHING
                  )
             SELECT EXISTS (SELECT FROM u), EXISTS (SELECT FROM p)",
        )
        .bind(post)
        .bind(user)
        .fetch_one(&mut **self)
        .await?;
        found(bool::then_some(has_user, ()), "user", user)?;
        found(bool::then_some(has_post, ()), "post", post)
    }
}
