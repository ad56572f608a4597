//! Fields that depend on who asks, beside those of the stored documents.

use std::future::{Ready, ready};

use async_graphql::{Context, Object};
use axum::http::HeaderName;
use axum::http::request::Parts;
use fraiseql_graphql::TvExtended;
use fraiseql_graphql::http::Refusal;
use fraiseql_runtime::Embed;
use uuid::Uuid;

use crate::views::{Author, Post};

/// Header with the ID of the user who asks. It stands for a session, which an application would look
/// up here: the blog has no passwords, and grants nothing for it.
const USER_ID: HeaderName = HeaderName::from_static("x-user-id");

/// The user who asks, if the request says so.
#[derive(Clone, Copy, Debug)]
pub struct Viewer(Option<Uuid>);

/// Reads the viewer of a request.
pub fn viewer(parts: &Parts) -> Ready<Result<Viewer, Refusal>> {
    let id = parts.headers.get(USER_ID).and_then(|id| id.to_str().ok());
    ready(Ok(Viewer(id.and_then(|id| Uuid::parse_str(id).ok()))))
}

/// Fields of posts that are not stored with them, and what they need of the document.
#[derive(Debug, Embed)]
#[tview(table = "tb_post", shape_of = Post)]
pub(super) struct PostFields {
    #[tview(one(fk = "fk_author", key = "pk_user"))]
    author: Author,
}

/// Adds [`PostFields`] to the type `Post` of the schema.
pub(super) type ExtendedPost = TvExtended<Post, PostFields>;

#[Object]
impl PostFields {
    /// Whether the user who asks is the author. The header `x-user-id` says who asks.
    async fn viewer_can_edit(&self, ctx: &Context<'_>) -> bool {
        ctx.data_opt::<Viewer>()
            .is_some_and(|viewer| viewer.0 == Some(self.author.id))
    }
}
