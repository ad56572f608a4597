//! The read model: the views of one application, and the operations on all of them.
//!
//! Each file has the methods of [`ReadModel`] for one task. They only call the modules that do the
//! work: `mutation`, `ops`, `sync`.

mod advise;
mod builder;
mod check;
mod dependents;
mod feed;
mod grants;
mod in_schema;
#[cfg(feature = "metrics")]
mod metrics;
mod migrate;
mod mutate;
mod mutation;
mod read_model;
mod rebuild;
mod refresh;
mod sync_all;
mod verify;
mod worker;

pub use self::builder::ReadModelBuilder;
pub use self::grants::Grants;
pub use self::read_model::ReadModel;
pub use crate::ops::sync_all::{SyncAll, SyncAllReport, ViewSync};
