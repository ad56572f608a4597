//! Tests on a PostgreSQL server that all of them share. Each test has its own database there.

mod capture;
mod check;
mod documents;
mod feed;
mod foreign;
mod list;
mod migrate;
mod mutation;
mod names;
mod observe;
mod pooler;
mod privileges;
mod races;
mod read;
mod rebuild;
mod schemas;
mod sql;
mod storage;
mod sync;
mod tenants;
mod tuples;
mod types;
mod verify;
mod worker;
