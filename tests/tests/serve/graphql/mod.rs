//! Tests of documents and views in schemas of async-graphql.

mod big_int;
mod enums;
mod hostile;
mod introspection;
mod json_null;
mod oracle;
mod own_fields;
mod persisted;
mod specification;
mod values;
mod views;
