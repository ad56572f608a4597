//! Testing: [`Recorder`] stands in for a database in unit tests, and [`assert_synced()`] asserts in
//! a test with a database that no sync is missing.

mod assert_synced;
mod failure;
mod recorder;

pub use self::assert_synced::assert_synced;
pub use self::failure::Failure;
pub use self::recorder::{Call, Change, ChangeKind, Recorder};
