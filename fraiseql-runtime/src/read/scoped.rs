//! `Scoped`: reads of the documents of one tenant, or of all tenants.

use std::fmt;
use std::marker::PhantomData;

use serde_json::value::RawValue;

use crate::error::Result;
use crate::read::conditional::{self, FoundUnless, IfNoneMatch};
use crate::read::find;
use crate::read::list::List;
use crate::read::scope::Scope;
use crate::read::target::ReadTarget;
use crate::view::ViewDef;

/// The documents of one tenant, by [`TView::of`](crate::TView::of), or of all tenants, by
/// [`TView::across_tenants`](crate::TView::across_tenants).
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
/// use fraiseql_runtime::list::OrderBy;
///
/// #[derive(TView)]
/// pub struct Ticket {
///     pub id: i64,
///     #[tview(tenant)]
///     pub org_id: i64,
///     #[tview(sort)]
///     pub priority: i32,
/// }
/// # fn main() { on("CREATE TABLE tb_ticket (id int8 PRIMARY KEY, org_id int8 NOT NULL, priority int4 NOT NULL);
/// #     INSERT INTO tb_ticket VALUES (7, 1, 3), (8, 2, 5), (9, 1, 4)", async |pool| {
/// # migrate::<Ticket>(&pool).await;
/// # sync_all_tickets(&pool).await?;
/// let mine = Ticket::of(1);
/// let urgent = mine.list().order_by(OrderBy::desc("priority")).limit(1);
/// assert_eq!(urgent.fetch::<Ticket>(&pool).await?[0].id, 9);
///
/// // Keys of other tenants are skipped, as keys without a document are.
/// assert_eq!(mine.find_many(&pool, &[7, 8, 9]).await?.len(), 2);
/// # Ok(()) }) }
/// ```
#[must_use = "nothing is read before `find` or a list is awaited"]
pub struct Scoped<V> {
    scope: Scope,
    of: PhantomData<fn() -> V>,
}

impl<V> Scoped<V> {
    pub(super) const fn new(scope: Scope) -> Self {
        Self {
            scope,
            of: PhantomData,
        }
    }

    /// Whose documents are read.
    #[doc(hidden)]
    pub const fn scope(&self) -> &Scope {
        &self.scope
    }
}

impl<V: ViewDef> Scoped<V> {
    /// Reads the document of `key`, or `None` if there is none, or it is another tenant's; see
    /// [`TView::find`](crate::TView::find).
    ///
    /// # Errors
    /// As [`TView::find`](crate::TView::find).
    pub async fn find(&self, target: impl ReadTarget, key: V::DocumentKey) -> Result<Option<V>> {
        find::find(target, V::handle(), self.scope.clone(), key).await
    }

    /// Reads the document of `key` as JSON, without parsing it; see
    /// [`TView::find_json`](crate::TView::find_json).
    ///
    /// # Errors
    /// As [`TView::find`](crate::TView::find).
    pub async fn find_json(
        &self,
        target: impl ReadTarget,
        key: V::DocumentKey,
    ) -> Result<Option<Box<RawValue>>> {
        find::find_json(target, V::handle(), self.scope.clone(), key).await
    }

    /// Reads the document of `key` as JSON, unless the client has it; see
    /// [`TView::find_unless`](crate::TView::find_unless).
    ///
    /// # Errors
    /// As [`TView::find`](crate::TView::find).
    pub async fn find_unless(
        &self,
        target: impl ReadTarget,
        key: V::DocumentKey,
        held: &IfNoneMatch,
    ) -> Result<FoundUnless> {
        conditional::find_unless(target, V::handle(), self.scope.clone(), key, held).await
    }

    /// Reads the documents of `keys`, in the order of `keys`. Keys without a document, and those of
    /// other tenants' documents, are skipped; see [`TView::find_many`](crate::TView::find_many).
    ///
    /// # Errors
    /// As [`TView::find`](crate::TView::find).
    pub async fn find_many(
        &self,
        target: impl ReadTarget,
        keys: &[V::DocumentKey],
    ) -> Result<Vec<V>> {
        find::find_many(target, V::handle(), self.scope.clone(), keys).await
    }

    /// A list of the documents, which can be filtered, ordered and read page by page; see
    /// [`list`](mod@crate::read::list). No filter, order or cursor leads out of the tenant.
    pub fn list(&self) -> List<V> {
        List::scoped(V::handle(), self.scope.clone()).typed()
    }
}

impl<V> Clone for Scoped<V> {
    fn clone(&self) -> Self {
        Self::new(self.scope.clone())
    }
}

impl<V> fmt::Debug for Scoped<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Scoped").field(&self.scope).finish()
    }
}
