//! The cache hints of views.

use std::sync::Arc;

use async_graphql::CacheControl;
use fraiseql_runtime::schema::{Table, View};

/// How long documents of views may be cached.
#[derive(Clone, Default)]
pub(crate) struct ViewHints(Arc<Vec<(Table, CacheControl)>>);

impl ViewHints {
    /// Sets the hint of a view.
    ///
    /// What one tenant may see, no other client may: it is always private.
    pub(super) fn set(&mut self, view: &View, hint: CacheControl) {
        let public = hint.public && view.tenant.is_none();
        let hints = Arc::make_mut(&mut self.0);
        hints.retain(|(table, _)| *table != view.table);
        hints.push((view.table, CacheControl { public, ..hint }));
    }

    /// The hint of a view, if it has one.
    pub(super) fn of(&self, view: &View) -> Option<CacheControl> {
        let mut hints = self.0.iter();
        let found = hints.find(|(table, _)| *table == view.table);
        found.map(|(_, hint)| *hint)
    }
}
