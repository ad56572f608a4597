//! The trait that `#[derive(TView)]` implements, and a view without its type. [`TView`](crate::TView)
//! adds the methods that read documents.

mod handle;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use self::handle::Handle;

use crate::schema::View;
use crate::schema::embed::Embed;
use crate::schema::key::{Key, Keys};
use crate::sql::Statements;

/// A struct whose documents are stored in a view table. `#[derive(TView)]` implements it.
///
/// Import [`TView`](crate::TView) instead: every such struct implements it, and it has these items
/// under shorter names.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a view",
    label = "needs #[derive(TView)]",
    note = "a struct with #[derive(Embed)] is a part of other documents, and has no view table \
            of its own"
)]
pub trait ViewDef: Embed + Serialize + DeserializeOwned + Send + Sync {
    /// The type of the keys of documents.
    type DocumentKey: Key;

    /// The type of the tenant that owns a document, or [`NoTenant`].
    type Tenant: Tenancy;

    /// The constant table of the view.
    const DEFINITION: &'static View;

    /// The statements of the view, composed on first use.
    fn composed() -> &'static Statements;

    /// The view without its type, for code that works on any view.
    #[doc(hidden)]
    fn handle() -> Handle {
        Handle::declared(Self::DEFINITION, Self::composed, || {
            Keys::of::<Self::DocumentKey>(&[])
        })
    }
}

/// Stands for the tenant of a view that has none.
#[derive(Clone, Copy, Debug)]
pub enum NoTenant {}

/// The type of a tenant: that of a key, or [`NoTenant`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the tenant of a document",
    label = "not a type of a tenant",
    note = "a tenant is one value that is never null: an i16, i32, i64, String or Uuid, or a \
            newtype of one with #[derive(TScalar)]"
)]
pub trait Tenancy {
    /// Whether there is no tenant.
    const IS_NONE: bool;
}

#[diagnostic::do_not_recommend]
impl Tenancy for NoTenant {
    const IS_NONE: bool = true;
}

#[diagnostic::do_not_recommend]
impl<K: Key> Tenancy for K {
    const IS_NONE: bool = false;
}

/// A view whose documents belong to tenants: a field has `#[tview(tenant)]`.
///
/// Its documents are read by [`TView::of`](crate::TView::of), which names the tenant. It is never
/// implemented by hand.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no tenant",
    label = "its documents belong to no tenant",
    note = "read it by `{Self}::find` and `{Self}::list`, or mark the field that names the owner \
            of a document with #[tview(tenant)]"
)]
pub trait WithTenant: ViewDef<Tenant = Self::TenantKey> {
    /// The type of the tenant.
    type TenantKey: Key;
}

#[diagnostic::do_not_recommend]
impl<V: ViewDef<Tenant: Key>> WithTenant for V {
    type TenantKey = V::Tenant;
}

/// A view without a tenant. Its documents are read without naming one. It is never implemented by
/// hand.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has a tenant, and this reads the documents of all of them",
    label = "names no tenant",
    note = "`{Self}::of(tenant)` reads the documents of one tenant, \
            `{Self}::across_tenants()` those of all, for a job"
)]
pub trait WithoutTenant: ViewDef {}

#[diagnostic::do_not_recommend]
impl<V: ViewDef<Tenant: IsNone>> WithoutTenant for V {}

/// The type of a view's tenant that can be taken from a tenant of the type `T`: `T` itself, or
/// [`NoTenant`].
#[diagnostic::on_unimplemented(
    message = "the tenant of a view is `{Self}`, and the one that is named is `{T}`",
    label = "not the tenant of every view",
    note = "name a tenant of the type of the field with #[tview(tenant)]"
)]
pub trait TenantIs<T> {}

impl<T> TenantIs<T> for NoTenant {}

impl<T: Key> TenantIs<T> for T {}

/// [`NoTenant`] only.
pub trait IsNone {}

impl IsNone for NoTenant {}
