//! Tests of documents and views in schemas of async-graphql.

mod arrays;
mod big_int;
mod changes;
mod counts;
mod enums;
mod global_id;
mod hostile;
mod introspection;
mod json_null;
mod oracle;
mod other_rows;
mod own_fields;
mod persisted;
mod schemas;
mod specification;
mod storages;
mod tenants;
mod tuples;
mod values;
mod views;
mod within;
