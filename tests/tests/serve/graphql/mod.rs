//! Tests of documents and views in schemas of async-graphql.

mod hostile;
mod json_null;
mod oracle;
mod values;
mod views;
