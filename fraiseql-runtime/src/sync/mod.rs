//! Sync: make the documents of some keys equal to the base tables.
//!
//! [`target`] says where it can run, `run` is the protocol for a batch, `part` replaces a part in
//! documents, `invalid` leaves out
//! what cannot be written, [`full`] goes through a whole view, [`report`] says what was done.
//! [`observe`] tells others of it: observers, the [`log`], traces and metrics (`telemetry`).
//! [`recorder`] is a target without a database. [`verify`] compares, and writes nothing.

pub mod failure;
pub mod full;
pub(crate) mod invalid;
pub mod log;
pub mod observe;
pub(crate) mod part;
pub mod recorder;
pub mod report;
pub(crate) mod run;
pub mod target;
pub(crate) mod telemetry;
pub mod verify;

use crate::error::Result;
use crate::key::Keys;
use crate::sql::part::PartSql;
use crate::sync::observe::Mode;
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
    let request = Request::Sync {
        view: V::handle(),
        keys: Keys::of(keys),
    };
    observe::call(target, request).await
}

/// Deletes the documents of `keys`, whether or not their rows still exist.
///
/// This is what `delete_post` calls. After a row was deleted, `sync_post` does the same, and
/// cannot delete too much.
///
/// # Errors
/// When the database refuses the statement.
pub async fn delete<V: TView>(target: impl SyncTarget, keys: &[V::Key]) -> Result<SyncReport> {
    let request = Request::Delete {
        view: V::handle(),
        keys: Keys::of(keys),
    };
    observe::call(target, request).await
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
    /// Put these rows of a part into the documents of these keys.
    Replace {
        /// The view.
        view: Handle,
        /// The part.
        part: &'static PartSql,
        /// The keys of its rows.
        rows: Keys,
        /// The view's keys.
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

impl Request<'_> {
    pub(crate) fn mode(&self) -> Mode {
        self.summary().1
    }

    /// The view, the mode, and how many keys were given.
    pub(crate) fn summary(&self) -> (Handle, Mode, Option<usize>) {
        match self {
            Self::Sync { view, keys } | Self::Replace { view, keys, .. } => {
                (*view, Mode::Sync, Some(keys.len()))
            }
            Self::Delete { view, keys } => (*view, Mode::Delete, Some(keys.len())),
            Self::Full { view, .. } => (*view, Mode::Full, None),
        }
    }
}

impl std::fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (name, view, keys) = match self {
            Self::Sync { view, keys } => ("Sync", view, Some(keys)),
            Self::Replace { view, keys, .. } => ("Replace", view, Some(keys)),
            Self::Delete { view, keys } => ("Delete", view, Some(keys)),
            Self::Full { view, .. } => ("Full", view, None),
        };
        f.debug_struct(name)
            .field("view", &view.view.entity)
            .field("keys", &keys)
            .finish_non_exhaustive()
    }
}
