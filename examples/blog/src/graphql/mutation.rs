//! Commands as GraphQL mutations: each runs a function of [`service`](crate::service) and returns
//! the synced document.
//!
//! Every field is nullable. A field that fails is null, and the other fields of the request keep
//! their data. A field is also null if another client has deleted the document meanwhile.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object};
use fraiseql_graphql::{TvChanges, TvDoc, TvList, position};
use fraiseql_runtime::view::WithoutTenant;
use fraiseql_runtime::{MutationReport, TView, WalPosition};
use uuid::Uuid;

use super::error::Result;
use crate::app::App;
use crate::rows::{NewPost, NewUser, PostChange, UserChange};
use crate::service::{self, Error, comments, likes, posts, users};
use crate::views::{Comment, Post, User};

/// The mutation type.
#[derive(Debug, Default)]
pub struct Mutation;

/// A new post.
#[derive(InputObject)]
struct PostInput {
    title: String,
    content: String,
    /// Whether it is published at once; otherwise it is a draft.
    #[graphql(default)]
    published: bool,
}

#[Object]
impl Mutation {
    /// Creates a user.
    async fn create_user(
        &self,
        ctx: &Context<'_>,
        username: String,
        full_name: String,
        bio: Option<String>,
    ) -> Result<Option<TvDoc<User>>> {
        let app = app(ctx);
        let user = NewUser {
            username,
            full_name,
            bio,
        };
        let documents = app.blog.on(&app.pool);
        let id = users::create(&mut app.pool.clone(), documents, &user).await?;
        let mut connection = app.pool.acquire().await?;
        position::wrote(ctx, WalPosition::current(&mut connection).await.ok());
        drop(connection);
        fresh(app, id).await
    }

    /// Changes a user. Omitted arguments keep their value; `bio: null` removes the bio.
    async fn update_user(
        &self,
        ctx: &Context<'_>,
        id: ID,
        username: Option<String>,
        full_name: Option<String>,
        bio: MaybeUndefined<String>,
    ) -> Result<Option<TvDoc<User>>> {
        let (app, id) = (app(ctx), key(&id)?);
        let change = UserChange {
            username,
            full_name,
            bio: match bio {
                MaybeUndefined::Undefined => None,
                MaybeUndefined::Null => Some(None),
                MaybeUndefined::Value(bio) => Some(Some(bio)),
            },
        };
        mutate(ctx, async move |m| users::update(m, id, &change).await).await?;
        fresh(app, id).await
    }

    /// Deletes a user with all posts, comments and likes. Returns what else has changed: no client knows all
    /// posts of others that have lost a comment or a like.
    async fn delete_user(
        &self,
        ctx: &Context<'_>,
        id: ID,
    ) -> Result<Option<TvChanges<(User, Post, Comment)>>> {
        let (app, id) = (app(ctx), key(&id)?);
        let (_, report) = reported(ctx, async move |m| users::delete(m, id).await).await?;
        Ok(Some(TvChanges::new(report, app.pool.clone())))
    }

    /// Creates a post: a draft, or with `published: true` one that is published at once.
    async fn create_post(
        &self,
        ctx: &Context<'_>,
        author_id: ID,
        title: String,
        content: String,
        #[graphql(default)] published: bool,
    ) -> Result<Option<TvDoc<Post>>> {
        let (app, author) = (app(ctx), key(&author_id)?);
        let post = NewPost {
            title,
            content,
            published,
        };
        let id = mutate(ctx, async move |m| {
            posts::create(m, author, post.clone()).await
        })
        .await?;
        fresh(app, id).await
    }

    /// Creates several posts.
    async fn create_posts(
        &self,
        ctx: &Context<'_>,
        author_id: ID,
        posts: Vec<PostInput>,
    ) -> Result<Option<TvList<Post>>> {
        let (app, author) = (app(ctx), key(&author_id)?);
        let posts: Vec<NewPost> = posts.into_iter().map(NewPost::from).collect();
        let ids = mutate(ctx, async move |m| {
            posts::create_all(m, author, &posts).await
        })
        .await?;
        Ok(Some(TvList::find(&app.pool, &ids).await?))
    }

    /// Changes a post that was read at this `version`. Fails with `CONFLICT` if it was changed
    /// since.
    async fn update_post(
        &self,
        ctx: &Context<'_>,
        id: ID,
        version: i32,
        title: Option<String>,
        content: Option<String>,
    ) -> Result<Option<TvDoc<Post>>> {
        let (app, id) = (app(ctx), key(&id)?);
        let change = PostChange { title, content };
        mutate(ctx, async move |m| {
            posts::update(m, id, version, &change).await
        })
        .await?;
        fresh(app, id).await
    }

    /// Publishes a post.
    async fn publish_post(&self, ctx: &Context<'_>, id: ID) -> Result<Option<TvDoc<Post>>> {
        let (app, id) = (app(ctx), key(&id)?);
        mutate(ctx, async move |m| posts::publish(m, id).await).await?;
        fresh(app, id).await
    }

    /// Deletes a post with its comments, and returns its author.
    async fn delete_post(&self, ctx: &Context<'_>, id: ID) -> Result<Option<TvDoc<User>>> {
        let (app, id) = (app(ctx), key(&id)?);
        let author = mutate(ctx, async move |m| posts::delete(m, id).await).await?;
        fresh(app, author).await
    }

    /// Adds a comment to a post.
    async fn create_comment(
        &self,
        ctx: &Context<'_>,
        post_id: ID,
        author_id: ID,
        content: String,
    ) -> Result<Option<TvDoc<Comment>>> {
        let (app, post, author) = (app(ctx), key(&post_id)?, key(&author_id)?);
        let id = mutate(ctx, async move |m| {
            comments::create(m, post, author, &content).await
        })
        .await?;
        fresh(app, id).await
    }

    /// Deletes a comment, and returns the post that it was on.
    async fn delete_comment(&self, ctx: &Context<'_>, id: ID) -> Result<Option<TvDoc<Post>>> {
        let (app, id) = (app(ctx), key(&id)?);
        let post = mutate(ctx, async move |m| comments::delete(m, id).await).await?;
        fresh(app, post).await
    }

    /// Moves a comment to another post.
    async fn move_comment(
        &self,
        ctx: &Context<'_>,
        id: ID,
        post_id: ID,
    ) -> Result<Option<TvDoc<Comment>>> {
        let (app, id, post) = (app(ctx), key(&id)?, key(&post_id)?);
        mutate(ctx, async move |m| comments::move_to(m, id, post).await).await?;
        fresh(app, id).await
    }

    /// Adds tags to a post, and keeps those that it has.
    async fn tag_post(
        &self,
        ctx: &Context<'_>,
        id: ID,
        tags: Vec<String>,
    ) -> Result<Option<TvDoc<Post>>> {
        let (app, id) = (app(ctx), key(&id)?);
        mutate(ctx, async move |m| posts::tag(m, id, &tags).await).await?;
        fresh(app, id).await
    }

    /// Likes a post. With `wait: false` the response does not wait until the like is counted.
    async fn like_post(
        &self,
        ctx: &Context<'_>,
        id: ID,
        user_id: ID,
        #[graphql(default = true)] wait: bool,
    ) -> Result<Option<TvDoc<Post>>> {
        let (app, id, user) = (app(ctx), key(&id)?, key(&user_id)?);
        let like = async move |m: &mut _| likes::like(m, id, user).await;
        let ((), report) = app.mutate_with_report(like, true).await?;
        position::wrote(ctx, report.position());
        if wait {
            position::wrote(ctx, app.wait_synced(&report).await);
        }
        fresh(app, id).await
    }
}

impl From<PostInput> for NewPost {
    fn from(post: PostInput) -> Self {
        let PostInput {
            title,
            content,
            published,
        } = post;
        Self {
            title,
            content,
            published,
        }
    }
}

fn app<'c>(ctx: &Context<'c>) -> &'c App {
    ctx.data_unchecked()
}

/// Runs a command, and notes its position for the client: what that reads next has the change, on whichever
/// server.
async fn mutate<T>(
    ctx: &Context<'_>,
    command: impl AsyncFnMut(&mut fraiseql_runtime::Mutation) -> service::Result<T>,
) -> Result<T> {
    let (value, _) = reported(ctx, command).await?;
    Ok(value)
}

/// The same, with the report of the mutation.
async fn reported<T>(
    ctx: &Context<'_>,
    command: impl AsyncFnMut(&mut fraiseql_runtime::Mutation) -> service::Result<T>,
) -> Result<(T, MutationReport)> {
    let (value, report) = app(ctx).mutate_with_report(command, false).await?;
    position::wrote(ctx, report.position());
    Ok((value, report))
}

fn key(id: &ID) -> Result<Uuid> {
    let key = Uuid::parse_str(id);
    Ok(key.map_err(|_| Error::Invalid(format!("`{}` is not an ID of this blog", id.as_str())))?)
}

/// Reads the document after the command. It may include later changes of other requests.
async fn fresh<T: TView<Key = Uuid> + WithoutTenant>(
    app: &App,
    id: Uuid,
) -> Result<Option<TvDoc<T>>> {
    Ok(TvDoc::find(&app.pool, id).await?)
}
