//! A root field of a view, and what it reads.

use async_graphql::ServerResult;

use crate::request::tenant::TenantSource;
use crate::resolve::connection;
use crate::resolve::views::arguments::{self, Arguments, DEFAULT_LIMIT, count};
use crate::resolve::views::cache::ViewHints;
use crate::resolve::views::fields::RootFieldKind;
use crate::resolve::views::key;
use crate::resolve::views::view_set::ViewMember;
use fraiseql_runtime::__graphql::Scope;
use fraiseql_runtime::Readers;
use fraiseql_runtime::list::{List, Page};
use fraiseql_runtime::select::Projection;

/// A root field of a view.
#[derive(Clone, Copy)]
pub(crate) struct ViewField {
    pub(crate) view: ViewMember,
    pub(crate) kind: RootFieldKind,
}

/// What a root field reads: a list, or a page of it.
pub(crate) struct FieldRead {
    pub(super) list: List,
    pub(super) page: Option<Page>,
}

/// What the root fields of views share.
#[doc(hidden)]
#[derive(Clone)]
pub struct Reads {
    pub(crate) readers: Readers,
    /// The maximum number of documents of a list or a page.
    pub(crate) max_page: u32,
    /// Where the tenant is taken from. `None` if no view has one.
    pub(crate) tenant: Option<TenantSource>,
    /// How long documents may be cached.
    pub(crate) cache: ViewHints,
}

impl ViewField {
    /// What the field reads in a scope.
    ///
    /// # Errors
    /// If an argument has a value that it cannot have.
    pub(crate) fn read(
        self,
        arguments: &dyn Arguments,
        scope: Scope,
        max_page: u32,
    ) -> ServerResult<FieldRead> {
        let handle = self.view.handle;
        let mut page = None;
        let list = match self.kind {
            RootFieldKind::ByKey => {
                let key = key::filter(arguments, handle.view, &scope)?;
                List::scoped(handle, scope).filter(key).limit(1)
            }
            RootFieldKind::List => {
                let limit = count(arguments, "limit", Some(DEFAULT_LIMIT), max_page)?;
                let offset = count(arguments, "offset", Some(0), u32::MAX)?;
                arguments::list(arguments, handle, scope)?
                    .limit(limit.unwrap_or(DEFAULT_LIMIT).into())
                    .offset(offset.unwrap_or(0).into())
            }
            RootFieldKind::Connection => {
                page = Some(arguments::page(arguments, max_page)?);
                arguments::list(arguments, handle, scope)?
            }
        };
        Ok(FieldRead { list, page })
    }

    /// What is selected of the documents.
    pub(super) fn selected(self, projection: &Projection) -> SelectedKeys {
        match self.kind {
            RootFieldKind::ByKey | RootFieldKind::List => SelectedKeys::of(projection),
            RootFieldKind::Connection => {
                let shape = self.view.handle.view.shape;
                let documents = connection::documents(shape, projection.selection());
                documents.map_or_else(SelectedKeys::unknown, |it| SelectedKeys::of(&it))
            }
        }
    }
}

/// What is selected of documents, so that the rest need not be read.
#[derive(Debug)]
pub(super) struct SelectedKeys {
    /// The keys that are selected; all may be, if there are none.
    keys: Option<Vec<String>>,
    unselected_lists: Vec<&'static str>,
}

impl SelectedKeys {
    fn of(projection: &Projection) -> Self {
        let fields = projection.selection().fields().iter();
        let keys = fields.map(|field| field.name.as_str());
        let keys = keys.filter(|key| *key != "__typename");
        Self {
            keys: Some(keys.map(str::to_owned).collect()),
            unselected_lists: projection.unselected_lists(),
        }
    }

    const fn unknown() -> Self {
        Self {
            keys: None,
            unselected_lists: Vec::new(),
        }
    }

    /// The list, of which only what is selected is read.
    pub(super) fn restrict(&self, list: List) -> List {
        let list = list.omit(self.unselected_lists.iter().copied());
        match &self.keys {
            Some(keys) => list.only(keys.iter().cloned()),
            None => list,
        }
    }
}
