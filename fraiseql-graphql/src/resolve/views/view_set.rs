//! Tuples of views.

use crate::resolve::connection_shape;
use crate::resolve::live::change_shape;
use fraiseql_runtime::__graphql::Handle;
use fraiseql_runtime::TView;
use fraiseql_runtime::schema::Shape;
use fraiseql_runtime::view::{TenantIs, WithoutTenant};

/// The views that have root fields: a tuple, such as `(User, Post, Comment)`.
pub trait ViewSet: Send + Sync + 'static {
    #[doc(hidden)]
    fn members() -> Vec<ViewMember>;
}

/// A set of views without a tenant. It is never implemented by hand.
#[diagnostic::on_unimplemented(
    message = "a view of `{Self}` has a tenant, and these root fields name none",
    label = "would read the documents of all tenants",
    note = "`scoped(pool, |ctx| ..)` instead of `new(pool)` takes the tenant from the request; \
            `across_tenants(pool)` is for a schema of operators"
)]
pub trait UntenantedViews: ViewSet {}

/// A set of views whose tenant is a `T`, or that have none. It is never implemented by hand.
#[diagnostic::on_unimplemented(
    message = "a view of `{Self}` has another tenant than `{T}`",
    label = "the request names a `{T}`",
    note = "return a tenant of the type of the field with #[tview(tenant)]; views with tenants of \
            different types need a `Views` each, in a #[derive(MergedObject)]"
)]
pub trait ViewsOfTenant<T>: ViewSet {}

/// A view of a set, without its type.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct ViewMember {
    pub(crate) handle: Handle,
    /// The shape of the view's GraphQL connection.
    pub(crate) connection: fn() -> &'static Shape,
    /// The type of `postChanged`.
    pub(crate) change: fn() -> &'static Shape,
}

impl ViewMember {
    fn of<T: TView>() -> Self {
        Self {
            handle: T::handle(),
            connection: connection_shape::shape::<T>,
            change: change_shape::shape::<T>,
        }
    }
}

macro_rules! tuples {
    ($($name:ident)*) => {
        impl<$($name: TView),*> ViewSet for ($($name,)*) {
            fn members() -> Vec<ViewMember> {
                vec![$(ViewMember::of::<$name>()),*]
            }
        }

        #[diagnostic::do_not_recommend]
        impl<$($name: TView + WithoutTenant),*> UntenantedViews for ($($name,)*) {}

        #[diagnostic::do_not_recommend]
        impl<__T, $($name: TView<Tenant: TenantIs<__T>>),*> ViewsOfTenant<__T> for ($($name,)*) {}
    };
}

tuples!(A);
tuples!(A B);
tuples!(A B C);
tuples!(A B C D);
tuples!(A B C D E);
tuples!(A B C D E F);
tuples!(A B C D E F G);
tuples!(A B C D E F G H);
tuples!(A B C D E F G H I);
tuples!(A B C D E F G H I J);
tuples!(A B C D E F G H I J K);
tuples!(A B C D E F G H I J K L);
tuples!(A B C D E F G H I J K L M);
tuples!(A B C D E F G H I J K L M N);
tuples!(A B C D E F G H I J K L M N O);
tuples!(A B C D E F G H I J K L M N O P);
