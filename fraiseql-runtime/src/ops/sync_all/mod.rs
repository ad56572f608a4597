//! Full sync of all views of a read model, one after the other.

mod builder;
mod report;

pub use self::builder::SyncAll;
pub use self::report::{SyncAllReport, ViewSync};
