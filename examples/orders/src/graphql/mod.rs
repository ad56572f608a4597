//! The GraphQL schema: queries read views, mutations run [`commands`](crate::commands).

mod error;
mod mutation;
mod query;

use async_graphql::EmptySubscription;
use fraiseql_graphql::Prepared;

pub use mutation::Mutation;
pub use query::Query;

use crate::app::App;

/// The schema.
pub type Schema = async_graphql::Schema<Query, Mutation, EmptySubscription>;

/// Who calls, for the audit log. A service behind a login takes it from the session.
#[derive(Clone, Debug)]
pub struct Caller(pub String);

/// Builds the schema for an application.
#[must_use]
pub fn schema(app: App) -> Schema {
    Schema::build(Query, Mutation, EmptySubscription)
        .extension(Prepared::default().validate_once(true))
        .limit_depth(12)
        .limit_complexity(5_000)
        .data(app)
        .finish()
}
