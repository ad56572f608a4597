//! The GraphQL schema: queries are views, mutations are commands of [`service`](crate::service).

mod error;
mod metrics;
mod mutation;

use async_graphql::{EmptySubscription, MergedObject};
use fraiseql_graphql::{Prepared, Views};
use fraiseql_runtime::Readers;

pub use metrics::{SyncMetrics, SyncQueries};
pub use mutation::Mutation;

use crate::app::App;
use crate::views::{Comment, Post, User};

/// Pages have at most so many documents.
const LARGEST_PAGE: u32 = 100;

/// The root of queries.
#[derive(MergedObject)]
pub struct Query(Views<(User, Post, Comment)>, SyncQueries);

/// The schema.
pub type Schema = async_graphql::Schema<Query, Mutation, EmptySubscription>;

/// The schema of an application.
#[must_use]
pub fn schema(app: App) -> Schema {
    let views = Views::new(Readers::lending(app.pool.clone())).max_page(LARGEST_PAGE);
    Schema::build(Query(views, SyncQueries), Mutation, EmptySubscription)
        .extension(Prepared::default().validate_once(true).direct(true))
        .limit_depth(12)
        .limit_complexity(5_000)
        .data(app)
        .finish()
}
