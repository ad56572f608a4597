//! A server for the test of memory: posts of a database, with the limits that the arguments set.
//!
//! `large_posts <database url> <max_response> <max_in_flight>` prints its port.

use async_graphql::{EmptyMutation, EmptySubscription, Schema};
use axum::Router;
use fraiseql_graphql::http::GraphQl;
use fraiseql_graphql::{Prepared, Query};
use fraiseql_runtime::{Readers, TView};
use sqlx::postgres::PgPoolOptions;
use tokio::net::TcpListener;

/// A post with a long text.
#[derive(Debug, TView)]
pub struct Post {
    /// The key.
    pub id: i64,
    /// The text.
    pub content: String,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut argument = |name: &'static str| arguments.next().ok_or(anyhow::anyhow!("no {name}"));
    let url = argument("database")?;
    let max_response = argument("max_response")?.parse()?;
    let max_in_flight = argument("max_in_flight")?.parse()?;
    let pool = PgPoolOptions::new()
        .max_connections(8)
        .connect(&url)
        .await?;
    let query = Query::<(Post,)>::new(Readers::lending(pool));
    let schema = Schema::build(query, EmptyMutation, EmptySubscription)
        .extension(Prepared::default().validate_once(true).direct(true))
        .finish();
    let endpoint = GraphQl::new(schema)
        .max_response(max_response)
        .max_in_flight(max_in_flight);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?.port());
    let router = Router::new().route_service("/graphql", endpoint);
    axum::serve(listener, router).await?;
    Ok(())
}
