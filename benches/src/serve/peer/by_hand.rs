//! The contender `by-hand`: one hand-written statement for each root field, with nested
//! `jsonb_build_object` on base tables, deserialized into objects.

use async_graphql::{Context, EmptySubscription, ID, Object, Schema, SimpleObject};
use fraiseql_graphql::Prepared;
use serde::Deserialize;
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, PgPool};
use uuid::Uuid;

use super::rename::{AfterUpdate, Rename};

const POSTS: &str = include_str!("../../../peers/sql/by_hand_posts.sql");
const SCALARS: &str = include_str!("../../../peers/sql/by_hand_scalars.sql");
const POST: &str = include_str!("../../../peers/sql/by_hand_post.sql");

#[derive(Deserialize, SimpleObject)]
#[serde(rename_all = "camelCase")]
struct Post {
    id: ID,
    title: String,
    published: bool,
    // Missing if the statement for scalars was used.
    #[serde(default)]
    author: Author,
    #[serde(default)]
    comment_count: i64,
    #[serde(default)]
    comments: Vec<Comment>,
}

#[derive(Default, Deserialize, SimpleObject)]
#[serde(rename_all = "camelCase")]
struct Author {
    username: String,
    full_name: String,
}

#[derive(Deserialize, SimpleObject)]
struct Comment {
    content: String,
    author: Author,
}

pub(super) struct Query {
    pool: PgPool,
}

#[Object]
impl Query {
    async fn posts(&self, ctx: &Context<'_>, limit: i64) -> async_graphql::Result<Vec<Post>> {
        let selection = ctx.look_ahead();
        let selects = |field| selection.field(field).exists();
        let sql = if selects("author") || selects("comments") || selects("commentCount") {
            POSTS
        } else {
            SCALARS
        };
        // Not bound: PostgreSQL would plan a statement with `LIMIT $1` again for each execution.
        let sql = sql.replace("$1", &limit.to_string());
        let posts: Vec<Json<Post>> = sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_all(&self.pool)
            .await?;
        Ok(posts.into_iter().map(|Json(post)| post).collect())
    }

    async fn post(&self, id: ID) -> async_graphql::Result<Option<Post>> {
        let post: Option<Json<Post>> = sqlx::query_scalar(POST)
            .bind(Uuid::parse_str(&id)?)
            .fetch_optional(&self.pool)
            .await?;
        Ok(post.map(|Json(post)| post))
    }
}

pub(super) fn schema(pool: PgPool, then: AfterUpdate) -> Schema<Query, Rename, EmptySubscription> {
    let rename = Rename {
        pool: pool.clone(),
        then,
    };
    Schema::build(Query { pool }, rename, EmptySubscription)
        .extension(Prepared::default().validate_once(true))
        .finish()
}
