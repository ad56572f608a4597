//! What a subscription is about, and what arrives there.

use crate::read::scope::Scope;
use crate::view::Handle;

/// What a subscription is about.
#[doc(hidden)]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Interest {
    /// One document, by the text of its key.
    Document {
        /// The view table, quoted.
        table: String,
        /// The key, as PostgreSQL prints it.
        key: String,
    },
    /// All documents of a view.
    View {
        /// The view table, quoted.
        table: String,
        /// The tenant, if only its documents are of interest, as PostgreSQL prints it.
        tenant: Option<String>,
    },
}

impl Interest {
    /// The documents of a view in a scope.
    #[must_use]
    pub fn in_scope(view: Handle, scope: &Scope) -> Self {
        // A scope without the tenant that the view has contains no document. No tenant has this text.
        let none = || "\0".to_owned();
        let tenant = scope.tenant(view.view);
        Self::View {
            table: view.view.table.to_string(),
            tenant: tenant.map(|keys| keys.texts().next().unwrap_or_else(none)),
        }
    }

    pub(super) fn table(&self) -> &str {
        match self {
            Self::Document { table, .. } | Self::View { table, .. } => table,
        }
    }
}

/// What arrives at a subscription.
#[doc(hidden)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// All documents may have changed. The first notice of a subscription, too, which comes as soon as no change that is
    /// committed from then on will be missed.
    Reset,
    /// Documents have changed: of a subscription that collects keys, the texts of theirs.
    Changed(Vec<String>),
}
