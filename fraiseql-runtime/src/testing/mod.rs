//! Testing without a database ([`Recorder`](recorder::Recorder)), and asserting in a test with one
//! that no sync is missing ([`assert_synced`](assert_synced::assert_synced)).

pub mod assert_synced;
pub mod failure;
pub mod recorder;

pub use self::assert_synced::assert_synced;
pub use self::failure::Failure;
pub use self::recorder::changes::{Change, ChangeKind};
pub use self::recorder::{Call, Recorder};
