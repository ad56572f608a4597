//! Tests of documents and views in schemas of async-graphql.

mod hostile;
mod introspection;
mod oracle;
mod persisted;
mod specification;
mod values;
mod views;
