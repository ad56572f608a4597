//! Migration: creates missing view tables, columns, indexes, bookkeeping tables, functions and triggers, and reports
//! what differs.
//!
//! In `run`, a migration first makes a plan by comparing the catalog with the views, then runs its
//! steps. It never drops or rewrites anything: such a repair is reported as [`Drift`], with the
//! statement that an operator can run.
//!
//! An index is recognized by its comment, which contains a hash of the statement that created it.
//! An index without that comment was created by hand or by an older version. It is compared with
//! one that is created on an empty table of the same columns and rolled back, so that PostgreSQL
//! itself normalizes both definitions.
//!
//! `views` plans one view after the other: `columns`, `indexes` and `storage` compare an existing
//! table, from the rows that `catalog_rows` reads. `partition_bounds` compares the order of
//! partitions with the database's collation. `bookkeeping` plans the tables of rebuilds.
//! `functions` plans functions, `capture` the change table and triggers, `feed` those of the feed of documents, and `left_over` reports those of other releases.
//! `matviews` plans materialized views, and builds them after the transaction.
//! `lock` lets one instance at a time do so.
//! `target` is where a migration runs: on a pool, a connection, or in a transaction.
//! `base_tables` creates the triggers after the transaction, `concurrent` the indexes of large tables.

mod base_tables;
mod bookkeeping;
pub(crate) mod capture;
mod catalog_rows;
mod columns;
mod concurrent;
mod feed;
pub(crate) mod functions;
mod indexes;
mod left_over;
mod lock;
mod matviews;
mod migration;
mod objects;
mod parameters;
pub(crate) mod partition_bounds;
mod plan;
mod run;
mod schemas;
mod target;
mod view_plan;
mod views;

pub use self::migration::{Drift, Migration};
pub(crate) use self::objects::ModelObjects;
pub(crate) use self::run::{MigrateRequest, migration_plan};
pub use self::schemas::SchemaMigrations;
pub use self::target::MigrateTarget;
