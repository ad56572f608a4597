//! Sync: make the documents of some keys equal to the base tables.
//!
//! [`target`] says where it can run, `run` is the protocol for a batch, `invalid` leaves out
//! what cannot be written, [`full`] goes through a whole view, [`report`] says what was done.

pub mod full;
mod invalid;
pub mod report;
mod run;
pub mod target;

use crate::error::Result;
use crate::key::Keys;
use crate::sync::report::SyncReport;
use crate::sync::target::SyncTarget;
use crate::view::{Handle, TView};

/// Makes the documents of `keys` equal to the base tables: builds those whose row exists,
/// skips those that are equal already, deletes those whose row is gone.
///
/// This is what `sync_post` calls; see [`SyncTarget`] for what each target promises.
///
/// A document that cannot be written, because a value in it cannot be represented, is listed
/// in [`SyncReport::invalid`]; all others are written.
///
/// # Errors
/// When the database refuses a statement. Then nothing of the failing batch is written.
pub async fn sync<V: TView>(target: impl SyncTarget, keys: &[V::Key]) -> Result<SyncReport> {
    target
        .run(Request::Sync {
            view: V::handle(),
            keys: Keys::of(keys),
        })
        .await
}

/// Deletes the documents of `keys`, whether or not their rows still exist.
///
/// This is what `delete_post` calls. After a row was deleted, `sync_post` does the same, and
/// cannot delete too much.
///
/// # Errors
/// When the database refuses the statement.
pub async fn delete<V: TView>(target: impl SyncTarget, keys: &[V::Key]) -> Result<SyncReport> {
    target
        .run(Request::Delete {
            view: V::handle(),
            keys: Keys::of(keys),
        })
        .await
}

/// Something that a target is asked to do.
pub enum Request<'a> {
    /// Sync these keys.
    Sync {
        /// The view.
        view: Handle,
        /// Its keys.
        keys: Keys,
    },
    /// Delete these documents.
    Delete {
        /// The view.
        view: Handle,
        /// Its keys.
        keys: Keys,
    },
    /// Sync every key there is.
    Full {
        /// The view.
        view: Handle,
        /// What it was told.
        settings: full::Settings<'a>,
    },
}

impl std::fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (name, view, keys) = match self {
            Self::Sync { view, keys } => ("Sync", view, Some(keys)),
            Self::Delete { view, keys } => ("Delete", view, Some(keys)),
            Self::Full { view, .. } => ("Full", view, None),
        };
        f.debug_struct(name)
            .field("view", &view.view.entity)
            .field("keys", &keys)
            .finish_non_exhaustive()
    }
}
