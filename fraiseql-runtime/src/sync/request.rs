//! Requests to a sync target.

use std::fmt;

use crate::schema::default_schema::DefaultSchema;
use crate::schema::key::Keys;
use crate::sql::part::PartSql;
use crate::sync::full::settings::FullSyncSettings;
use crate::view::Handle;

/// The kind of a call: which function requested it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mode {
    /// A sync of given keys: `sync_post`, or the commit of a mutation.
    Sync,
    /// A deletion of documents: `delete_post`.
    Delete,
    /// A full sync, `sync_all_posts`, or a rebuild.
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

    /// The mode with this name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
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

/// A request to a [`SyncTarget`](crate::SyncTarget).
pub enum SyncRequest<'a> {
    /// Sync the documents of these keys.
    Sync {
        /// The view.
        view: Handle,
        /// The keys of the documents.
        keys: Keys,
    },
    /// Replace a part, made of these rows, in the documents of these keys.
    Replace {
        /// The view.
        view: Handle,
        /// The statements of the part.
        part: &'static PartSql,
        /// The keys of the part's rows.
        rows: Keys,
        /// The keys of the documents.
        keys: Keys,
    },
    /// Delete the documents of these keys.
    Delete {
        /// The view.
        view: Handle,
        /// The keys of the documents.
        keys: Keys,
    },
    /// Sync every key of the view.
    Full {
        /// The view.
        view: Handle,
        /// The settings of the full sync.
        settings: FullSyncSettings<'a>,
    },
}

impl SyncRequest<'_> {
    pub(crate) fn mode(&self) -> Mode {
        self.summary().1
    }

    /// The same request for the view in a schema.
    pub(crate) fn in_schema(mut self, schema: DefaultSchema) -> Self {
        match &mut self {
            Self::Sync { view, .. }
            | Self::Replace { view, .. }
            | Self::Delete { view, .. }
            | Self::Full { view, .. } => *view = view.in_schema(schema),
        }
        self
    }

    /// Whether there is nothing to sync: documents of this view are not in a view table.
    pub(crate) fn is_without_table(&self) -> bool {
        !self.summary().0.view.is_synced()
    }

    /// The view, the mode, and the number of keys if they are given.
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

impl fmt::Debug for SyncRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
