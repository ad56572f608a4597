//! Tests of what is served: GraphQL schemas over views, and the endpoint over HTTP.

mod etags;
mod federation;
mod graphql;
mod http;
mod live;
mod shared;
mod traced;
mod trusted;
mod unions;
