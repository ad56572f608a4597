//! Placeholder.

mod cycle;
mod error;
mod key;
mod model;
mod proof;
mod read;
pub mod scalar;
pub mod schema;
pub mod sql;
pub mod sync;
mod view;

pub use error::{Error, Result};
pub use fraiseql_derive::{Embed, TView};
pub use key::{Key, Keys};
pub use model::{ReadModel, ReadModelBuilder};
pub use scalar::Scalar;
pub use sync::full::{FullSync, Progress};
pub use sync::report::SyncReport;
pub use sync::target::SyncTarget;
pub use view::{Embed, ManyField, OneField, TView};

/// What the derives emit refers to this. Nothing here is for people.
#[doc(hidden)]
pub mod __private {
    pub use crate::cycle::{Child, End, check as check_cycle};
    pub mod proof {
        pub use crate::proof::{aggregate, key, promoted};
    }
    pub use crate::scalar::with as scalar;
    pub use crate::sql::Statements;
    pub use crate::sync::full::sync_all;
    pub use crate::sync::{delete, sync};
    pub use crate::view::Handle;
    pub use serde;
    pub use std;
}
