//! The mutation type of the other servers: an UPDATE, and for some a refresh.

use async_graphql::{ID, Object};
use sqlx::PgPool;
use uuid::Uuid;

use super::ours::User;

/// What is done after the UPDATE.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum AfterUpdate {
    /// Nothing: reads use the base tables, or triggers have updated the documents.
    Nothing,
    /// Refresh the materialized view.
    Refresh,
}

pub(super) struct Rename {
    pub(super) pool: PgPool,
    pub(super) then: AfterUpdate,
}

#[Object(name = "Mutation")]
impl Rename {
    async fn rename_user(&self, id: ID, full_name: String) -> async_graphql::Result<User> {
        sqlx::query("UPDATE tb_user SET full_name = $2 WHERE id = $1")
            .bind(Uuid::parse_str(&id)?)
            .bind(&full_name)
            .execute(&self.pool)
            .await?;
        if self.then == AfterUpdate::Refresh {
            sqlx::query("REFRESH MATERIALIZED VIEW CONCURRENTLY mv_post")
                .execute(&self.pool)
                .await?;
        }
        Ok(User { id, full_name })
    }
}
