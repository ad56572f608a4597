//! The mutation of the peers: an UPDATE, and what each does to its documents.

use async_graphql::{ID, Object};
use sqlx::PgPool;
use uuid::Uuid;

use super::ours::User;

/// What follows the UPDATE.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// Nothing: what is read comes from the base tables, or triggers have seen to it.
    Nothing,
    /// The materialized view is refreshed.
    Refresh,
}

pub(super) struct Rename {
    pub(super) pool: PgPool,
    pub(super) then: Then,
}

#[Object(name = "Mutation")]
impl Rename {
    async fn rename_user(&self, id: ID, full_name: String) -> async_graphql::Result<User> {
        sqlx::query("UPDATE tb_user SET full_name = $2 WHERE id = $1")
            .bind(Uuid::parse_str(&id)?)
            .bind(&full_name)
            .execute(&self.pool)
            .await?;
        if self.then == Then::Refresh {
            sqlx::query("REFRESH MATERIALIZED VIEW CONCURRENTLY mv_post")
                .execute(&self.pool)
                .await?;
        }
        Ok(User { id, full_name })
    }
}
