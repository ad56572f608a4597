//! Tests of the GraphQL endpoint over HTTP.

mod audits;
mod cache;
mod direct;
mod errors;
mod graphiql;
mod hooks;
mod hostile;
mod memory;
mod requests;
mod response_size;
mod server;

use fraiseql_graphql::http::GraphQl;
use fraiseql_tests::web::{Server, shop};

async fn server() -> Server {
    Server::start(GraphQl::new(shop().0)).await
}
