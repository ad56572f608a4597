//! `Recorder`: a sync target without a database, for the unit tests of services.
//!
//! `record` has the recorder with what it has recorded: a `call` for each sync, a `change` for each
//! mark. `target` makes it a sync target, and `marks` a stand-in for a mutation. `assertions` are
//! about calls.

mod assertions;
mod call;
mod change;
mod marks;
mod record;
mod target;

pub use self::call::Call;
pub use self::change::{Change, ChangeKind};
pub use self::record::Recorder;
