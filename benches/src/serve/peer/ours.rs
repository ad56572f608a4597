//! The contenders `ours-json`, `ours-trusted` and `ours-jsonb`: stored documents, and a GraphQL mutation that syncs
//! the dependents of the renamed user.

use async_graphql::{EmptySubscription, ID, Object, Schema, SimpleObject};
use fraiseql_graphql::{Prepared, Query};
use fraiseql_runtime::{ReadModel, Readers};
use sqlx::PgPool;
use uuid::Uuid;

use super::{json, jsonb};
use crate::blog::Author;

/// The renamed user.
#[derive(SimpleObject)]
pub(super) struct User {
    pub(super) id: ID,
    pub(super) full_name: String,
}

/// The mutation type of fraiseql's servers.
pub(super) struct Mutation {
    pool: PgPool,
    blog: ReadModel,
}

#[Object]
impl Mutation {
    async fn rename_user(&self, id: ID, full_name: String) -> async_graphql::Result<User> {
        let key = Uuid::parse_str(&id)?;
        let mut m = self.blog.mutation(&self.pool).await?;
        sqlx::query("UPDATE tb_user SET full_name = $2 WHERE id = $1")
            .bind(key)
            .bind(&full_name)
            .execute(&mut *m)
            .await?;
        m.changed::<Author>(&[key]);
        m.commit().await?;
        Ok(User { id, full_name })
    }
}

/// Defines the schema for the view of a module.
macro_rules! schema {
    ($module:ident) => {
        pub(super) fn $module(
            pool: PgPool,
        ) -> anyhow::Result<Schema<Query<($module::Post,)>, Mutation, EmptySubscription>> {
            let blog = ReadModel::builder().view::<$module::Post>().build()?;
            let query = Query::new(Readers::lending(pool.clone()));
            Ok(
                Schema::build(query, Mutation { pool, blog }, EmptySubscription)
                    .extension(Prepared::default().validate_once(true).direct(true))
                    .finish(),
            )
        }
    };
}

schema!(json);
schema!(jsonb);
