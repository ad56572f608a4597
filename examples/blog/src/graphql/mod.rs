//! The GraphQL schema: queries read views, mutations run the commands of
//! [`service`](crate::service).

mod error;
mod metrics;
mod mutation;
mod viewer;

use async_graphql::{EmptySubscription, MergedObject};
use fraiseql_graphql::{Prepared, Views};

pub use metrics::{SyncMetrics, SyncQueries};
pub use mutation::Mutation;
pub use viewer::viewer;

use crate::app::App;
use crate::views::{Comment, Post, User};

/// The most documents of one page.
const MAX_PAGE: u32 = 100;

/// The query type.
#[derive(MergedObject)]
pub struct Query(Views<(User, Post, Comment)>, SyncQueries);

/// The schema.
pub type Schema = async_graphql::Schema<Query, Mutation, EmptySubscription>;

/// Builds the schema for an application.
#[must_use]
pub fn schema(app: App) -> Schema {
    let views = Views::new(app.replicas.clone()).max_page(MAX_PAGE);
    Schema::build(Query(views, SyncQueries), Mutation, EmptySubscription)
        .register_output_type::<viewer::ExtendedPost>()
        .extension(Prepared::default().validate_once(true).direct(true))
        .limit_depth(12)
        .limit_complexity(5_000)
        .data(app)
        .finish()
}
