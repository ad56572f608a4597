//! What a sync target is asked to do.

use std::fmt;

use crate::schema::key::Keys;
use crate::sql::part::PartSql;
use crate::sync::full;
use crate::view::Handle;

/// What a target was asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mode {
    /// To sync some keys: `sync_post`.
    Sync,
    /// To delete some documents: `delete_post`.
    Delete,
    /// To sync every key there is: `sync_all_posts`.
    Full,
}

impl Mode {
    /// Its name in logs, traces and metrics: `sync`, `delete` or `full`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::Delete => "delete",
            Self::Full => "full",
        }
    }

    /// The mode of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Sync, Self::Delete, Self::Full]
            .into_iter()
            .find(|mode| mode.as_str() == name)
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
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
