//! Reads after own writes: the position of a mutation in the response, and that of the client in the
//! next request.
//!
//! Reads on [`Replicas`](fraiseql_runtime::Replicas) may be a moment behind the primary. A client that has
//! changed something sends the position of that change with what it reads next, and then sees it:
//!
//! 1. A resolver that writes calls [`wrote`] with the position of the
//!    [report](fraiseql_runtime::MutationReport::position).
//! 2. The response has it as the header [`HEADER`] and as the extension [`EXTENSION`].
//! 3. The client sends one of the two back, as a header or as an extension of its request. All root fields
//!    of [`Views`](crate::Views) read from replicas that have the position, and [`at_least`] returns it to
//!    your own resolvers.
//!
//! The schema needs the extension [`Prepared`](crate::Prepared). The header is read by
//! [`http::GraphQl`](crate::http::GraphQl); another endpoint inserts a
//! [`WalPosition`] into the data of the request.
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
//! use async_graphql::{Context, EmptySubscription, Object, Request, Schema};
//! use fraiseql_graphql::{Prepared, Query, position};
//! use fraiseql_runtime::Replicas;
//!
//! #[derive(TView)]
//! pub struct Post { pub id: i64, pub title: String }
//!
//! struct Mutation { blog: ReadModel, primary: PgPool }
//!
//! #[Object]
//! impl Mutation {
//!     async fn rename(&self, ctx: &Context<'_>, title: String) -> async_graphql::Result<bool> {
//!         let mut m = self.blog.mutation(&self.primary).await?;
//!         let sql = "UPDATE tb_post SET title = $1";
//!         sqlx::query(sql).bind(title).execute(&mut *m).await?;
//!         m.changed::<Post>(&[7]);
//!         position::wrote(ctx, m.commit().await?.position());
//!         Ok(true)
//!     }
//! }
//!
//! # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL);
//! #     INSERT INTO tb_post VALUES (7, 'Notes')", async |pool| {
//! # let blog = ReadModel::builder().view::<Post>().build()?;
//! # blog.migrate(&pool).await?;
//! # sync_all_posts(&pool).await?;
//! # let (primary, replica) = (pool.clone(), pool);
//! let replicas = Replicas::new(primary.clone()).replica(replica);
//! let query = Query::<(Post,)>::new(replicas);
//! let schema = Schema::build(query, Mutation { blog, primary }, EmptySubscription)
//!     .extension(Prepared::default())
//!     .finish();
//!
//! let response = schema.execute(r#"mutation { rename(title: "More") }"#).await;
//! let position = response.extensions[position::EXTENSION].clone();
//! assert!(response.http_headers.contains_key(position::HEADER));
//!
//! let mut request = Request::new("{ post(id: 7) { title } }");
//! request.extensions.insert(position::EXTENSION.to_owned(), position);
//! let response = schema.execute(request).await;
//! assert_eq!(serde_json::to_string(&response)?, r#"{"data":{"post":{"title":"More"}}}"#);
//! # Ok(()) }) }
//! ```
//!
//! A position comes from the client, and may be anything: one that is no position is refused, with the
//! status 400 or an error, and one that is forged only makes this client's reads slower.

use std::sync::{Arc, Mutex};

use async_graphql::{Context, Request, Response, ServerError, ServerResult, Value};
use fraiseql_runtime::__graphql::lock;
use fraiseql_runtime::WalPosition;

use crate::error::error;

/// The header of requests and responses: `fraiseql-position`. A page of another origin can only read it if
/// the server's CORS settings expose it.
pub const HEADER: &str = "fraiseql-position";

/// The key in the extensions of requests and responses: `position`.
pub const EXTENSION: &str = "position";

/// In the data of an execution: what the client has seen, and what resolvers have written.
#[derive(Clone, Default)]
pub(crate) struct Positions(Arc<Mutex<SeenAndWritten>>);

#[derive(Default)]
struct SeenAndWritten {
    seen: Option<WalPosition>,
    written: Option<WalPosition>,
}

impl Positions {
    /// Reads the extension of a request.
    pub(crate) fn of(request: &Request) -> ServerResult<Self> {
        let seen = match request.extensions.get(EXTENSION) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.parse().map_err(|_| refused())?),
            Some(_) => return Err(refused()),
        };
        let written = None;
        Ok(Self(Arc::new(Mutex::new(SeenAndWritten { seen, written }))))
    }

    /// Adds what resolvers have written to a response.
    pub(crate) fn complete(&self, mut response: Response) -> Response {
        let Some(position) = lock(&self.0).written else {
            return response;
        };
        let text = position.to_string();
        if let Ok(value) = text.parse() {
            response.http_headers.insert(HEADER, value);
        }
        response.extension(EXTENSION, Value::String(text))
    }
}

fn refused() -> ServerError {
    let message =
        format!("the extension `{EXTENSION}` is not a position that the server has returned");
    error(message, "BAD_USER_INPUT")
}

/// Notes that a resolver has written something, for the response, and for what the rest of the request
/// reads. It has no effect without the extension [`Prepared`](crate::Prepared).
pub fn wrote(ctx: &Context<'_>, position: impl Into<Option<WalPosition>>) {
    let (Some(positions), Some(position)) = (ctx.data_opt::<Positions>(), position.into()) else {
        return;
    };
    let mut positions = lock(&positions.0);
    positions.written = Some(match positions.written {
        Some(before) => before.or_later(Some(position)),
        None => position,
    });
}

/// The position from which on this request has to read: that which the client has sent, or what a
/// resolver [wrote] meanwhile.
#[must_use]
pub fn at_least(ctx: &Context<'_>) -> Option<WalPosition> {
    let positions = ctx.data_opt::<Positions>();
    let (seen, written) = positions.map_or((None, None), |positions| {
        let positions = lock(&positions.0);
        (positions.seen, positions.written)
    });
    // Of positions that cannot be compared, what was written here counts.
    let all = [ctx.data_opt::<WalPosition>().copied(), seen, written];
    let later = |before: WalPosition, next| before.or_later(Some(next));
    all.into_iter().flatten().reduce(later)
}
