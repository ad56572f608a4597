//! SQL on `tb_like`.

use fraiseql_runtime::Mutation;
use uuid::Uuid;

use super::require_found;
use crate::service::Result;

/// Statements on rows of likes.
pub trait Likes {
    /// Adds the like of a user, unless it exists. Returns the `pk_post` of a new like.
    ///
    /// # Errors
    /// If the user or the post does not exist.
    async fn insert_like(&mut self, post: Uuid, user: Uuid) -> Result<Option<i64>>;
}

impl Likes for Mutation {
    async fn insert_like(&mut self, post: Uuid, user: Uuid) -> Result<Option<i64>> {
        // One statement, because likes are frequent. The post is locked only after the user was
        // found, and FOR KEY SHARE does not conflict with updates of either row.
        let (has_user, has_post, new): (bool, bool, Option<i64>) = sqlx::query_as(
            "WITH u AS (SELECT pk_user FROM tb_user WHERE id = $2 FOR KEY SHARE),
                  p AS (
                      SELECT pk_post FROM tb_post
                      WHERE id = $1 AND EXISTS (SELECT FROM u) FOR KEY SHARE
                  ),
                  new AS (
                      INSERT INTO tb_like (fk_post, fk_user)
                      SELECT p.pk_post, u.pk_user FROM u CROSS JOIN p
                      ON CONFLICT DO NOTHING
                      RETURNING fk_post
                  )
             SELECT EXISTS (SELECT FROM u), EXISTS (SELECT FROM p), (SELECT fk_post FROM new)",
        )
        .bind(post)
        .bind(user)
        .fetch_one(&mut **self)
        .await?;
        require_found(bool::then_some(has_user, ()), "user", user)?;
        require_found(bool::then_some(has_post, ()), "post", post)?;
        Ok(new)
    }
}
