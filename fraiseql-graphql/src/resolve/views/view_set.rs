//! Tuples of views.

use crate::resolve::connection_shape;
use fraiseql_runtime::__graphql::Handle;
use fraiseql_runtime::TView;
use fraiseql_runtime::schema::Shape;

/// The views that have root fields: a tuple, such as `(User, Post, Comment)`.
pub trait ViewSet: Send + Sync + 'static {
    #[doc(hidden)]
    fn members() -> Vec<ViewMember>;
}

/// A view of a set, without its type.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct ViewMember {
    pub(crate) handle: Handle,
    /// The shape of the view's GraphQL connection.
    pub(crate) connection: fn() -> &'static Shape,
}

impl ViewMember {
    fn of<T: TView>() -> Self {
        Self {
            handle: T::handle(),
            connection: connection_shape::shape::<T>,
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
