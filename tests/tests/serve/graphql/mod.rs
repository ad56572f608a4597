//! Tests of documents and views in schemas of async-graphql.

mod hostile;
mod oracle;
mod values;
mod views;
