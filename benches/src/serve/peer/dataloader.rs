//! The contender `dataloader`: a resolver for each field, and async-graphql's `DataLoader`, which
//! reads many rows in one statement.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::dataloader::{DataLoader, Loader};
use async_graphql::{
    ComplexObject, Context, EmptySubscription, ID, Object, Result, Schema, SimpleObject,
};
use fraiseql_graphql::Prepared;
use sqlx::{AssertSqlSafe, PgPool};
use uuid::Uuid;

use super::rename::{AfterUpdate, Rename};

struct Post {
    id: Uuid,
    author_id: Uuid,
    title: String,
    published: bool,
}

/// The columns of a post, in the order of the statements.
type PostRow = (Uuid, Uuid, String, bool);

impl From<PostRow> for Post {
    fn from((id, author_id, title, published): PostRow) -> Self {
        Self {
            id,
            author_id,
            title,
            published,
        }
    }
}

#[derive(Clone, SimpleObject)]
struct Author {
    username: String,
    full_name: String,
}

#[derive(Clone, SimpleObject)]
#[graphql(complex)]
struct Comment {
    #[graphql(skip)]
    author_id: Uuid,
    content: String,
}

/// Keys of users, of posts whose comments are read, and of posts whose comments are counted.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct UserId(Uuid);
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct CommentsOf(Uuid);
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct CountOf(Uuid);

struct Rows(PgPool);

impl Loader<UserId> for Rows {
    type Value = Author;
    type Error = Arc<sqlx::Error>;

    async fn load(&self, keys: &[UserId]) -> Result<HashMap<UserId, Author>, Self::Error> {
        let keys: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
        let rows: Vec<(Uuid, String, String)> =
            sqlx::query_as("SELECT id, username, full_name FROM tb_user WHERE id = ANY ($1)")
                .bind(keys)
                .fetch_all(&self.0)
                .await?;
        let author = |(id, username, full_name)| {
            let author = Author {
                username,
                full_name,
            };
            (UserId(id), author)
        };
        Ok(rows.into_iter().map(author).collect())
    }
}

impl Loader<CommentsOf> for Rows {
    type Value = Vec<Comment>;
    type Error = Arc<sqlx::Error>;

    async fn load(
        &self,
        keys: &[CommentsOf],
    ) -> Result<HashMap<CommentsOf, Vec<Comment>>, Self::Error> {
        let keys: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
        let rows: Vec<(Uuid, Uuid, String)> = sqlx::query_as(
            "SELECT post_id, author_id, content FROM tb_comment WHERE post_id = ANY ($1)
             ORDER BY created_at DESC, id",
        )
        .bind(keys)
        .fetch_all(&self.0)
        .await?;
        let mut of_posts: HashMap<_, Vec<Comment>> = HashMap::new();
        for (post_id, author_id, content) in rows {
            let comments = of_posts.entry(CommentsOf(post_id)).or_default();
            comments.push(Comment { author_id, content });
        }
        Ok(of_posts)
    }
}

impl Loader<CountOf> for Rows {
    type Value = i64;
    type Error = Arc<sqlx::Error>;

    async fn load(&self, keys: &[CountOf]) -> Result<HashMap<CountOf, i64>, Self::Error> {
        let keys: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
        let rows: Vec<(Uuid, i64)> = sqlx::query_as(
            "SELECT post_id, count(*) FROM tb_comment WHERE post_id = ANY ($1) GROUP BY post_id",
        )
        .bind(keys)
        .fetch_all(&self.0)
        .await?;
        Ok(rows
            .into_iter()
            .map(|(id, count)| (CountOf(id), count))
            .collect())
    }
}

async fn author(ctx: &Context<'_>, id: Uuid) -> Result<Author> {
    let rows = ctx.data_unchecked::<DataLoader<Rows>>();
    let author = rows.load_one(UserId(id)).await?;
    author.ok_or_else(|| "the author does not exist, despite the foreign key".into())
}

#[Object]
impl Post {
    async fn id(&self) -> ID {
        self.id.into()
    }

    async fn title(&self) -> &str {
        &self.title
    }

    async fn published(&self) -> bool {
        self.published
    }

    async fn author(&self, ctx: &Context<'_>) -> Result<Author> {
        author(ctx, self.author_id).await
    }

    async fn comments(&self, ctx: &Context<'_>) -> Result<Vec<Comment>> {
        let rows = ctx.data_unchecked::<DataLoader<Rows>>();
        Ok(rows
            .load_one(CommentsOf(self.id))
            .await?
            .unwrap_or_default())
    }

    async fn comment_count(&self, ctx: &Context<'_>) -> Result<i64> {
        let rows = ctx.data_unchecked::<DataLoader<Rows>>();
        Ok(rows.load_one(CountOf(self.id)).await?.unwrap_or_default())
    }
}

#[ComplexObject]
impl Comment {
    async fn author(&self, ctx: &Context<'_>) -> Result<Author> {
        author(ctx, self.author_id).await
    }
}

pub(super) struct Query {
    pool: PgPool,
}

#[Object]
impl Query {
    async fn posts(&self, limit: i64) -> Result<Vec<Post>> {
        // Not bound: PostgreSQL would plan a statement with `LIMIT $1` again for each execution.
        let rows: Vec<PostRow> = sqlx::query_as(AssertSqlSafe(format!(
            "SELECT id, author_id, title, published FROM tb_post ORDER BY id LIMIT {limit}"
        )))
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(Post::from).collect())
    }

    async fn post(&self, id: ID) -> Result<Option<Post>> {
        let row: Option<PostRow> =
            sqlx::query_as("SELECT id, author_id, title, published FROM tb_post WHERE id = $1")
                .bind(Uuid::parse_str(&id)?)
                .fetch_optional(&self.pool)
                .await?;
        Ok(row.map(Post::from))
    }
}

/// `delay` is the time in which the loader collects keys, by default a millisecond. Without a delay,
/// a request has less latency, but concurrent requests share fewer statements: only keys of the
/// same request are collected.
pub(super) fn schema(
    pool: PgPool,
    delay: Option<Duration>,
) -> Schema<Query, Rename, EmptySubscription> {
    let rename = Rename {
        pool: pool.clone(),
        then: AfterUpdate::Nothing,
    };
    // One loader for all requests, so that concurrent requests share statements. It caches no rows.
    let mut rows = DataLoader::new(Rows(pool.clone()), tokio::spawn);
    if let Some(delay) = delay {
        rows = rows.delay(delay);
    }
    Schema::build(Query { pool }, rename, EmptySubscription)
        .data(rows)
        .extension(Prepared::default().validate_once(true))
        .finish()
}
