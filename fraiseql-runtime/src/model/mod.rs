//! The read model: the views of one application, and the operations on all of them.
//!
//! Each file has the methods of [`ReadModel`] for one task. They only call the modules that do the
//! work: `mutation`, `ops`, `sync`.

mod builder;
mod check;
mod dependents;
#[cfg(feature = "metrics")]
mod metrics;
mod migrate;
mod mutate;
mod mutation;
mod read_model;
mod rebuild;
mod verify;

pub use self::builder::ReadModelBuilder;
pub use self::read_model::ReadModel;
