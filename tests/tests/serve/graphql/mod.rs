//! Tests of documents and views in schemas of async-graphql.

mod big_int;
mod enums;
mod hostile;
mod json_null;
mod oracle;
mod own_fields;
mod values;
mod views;
