//! One statement by hand for each root field: nested `jsonb_build_object` on base tables, read
//! into objects.

use async_graphql::{Context, EmptySubscription, ID, Object, Schema, SimpleObject};
use fraiseql_graphql::Prepared;
use serde::Deserialize;
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, PgPool};
use uuid::Uuid;

use super::rename::{Rename, Then};

const POSTS: &str = include_str!("../../../peers/sql/by_hand_posts.sql");
const SCALARS: &str = include_str!("../../../peers/sql/by_hand_scalars.sql");
const POST: &str = include_str!("../../../peers/sql/by_hand_post.sql");

#[derive(Deserialize, SimpleObject)]
#[serde(rename_all = "camelCase")]
struct Post {
    id: ID,
    title: String,
    published: bool,
    // Left out where they are not asked for.
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
        let asked = ctx.look_ahead();
        let asks = |field| asked.field(field).exists();
        let sql = if asks("author") || asks("comments") || asks("commentCount") {
            POSTS
        } else {
            SCALARS
        };
        // In the text, and not bound: PostgreSQL would plan the statement anew each time.
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

pub(super) fn schema(pool: PgPool, then: Then) -> Schema<Query, Rename, EmptySubscription> {
    let rename = Rename {
        pool: pool.clone(),
        then,
    };
    Schema::build(Query { pool }, rename, EmptySubscription)
        .extension(Prepared::default().validate_once(true))
        .finish()
}
