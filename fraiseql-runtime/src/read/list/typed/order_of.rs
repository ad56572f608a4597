//! `OrderOf`: a term of an order whose field the compiler has checked.

use std::fmt;
use std::marker::PhantomData;

use super::AnyView;
use crate::read::list::order::{Nulls, OrderBy};

/// One term of an order of the documents of the view `V`, by [`Column::asc`](crate::list::Column::asc) or
/// [`desc`](crate::list::Column::desc). [`OrderBy`] says how values are ordered.
///
/// ```
/// use fraiseql_runtime::TView;
/// use fraiseql_runtime::list::{Nulls, OrderBy, OrderOf};
///
/// #[derive(TView)]
/// pub struct Post {
///     pub id: i64,
///     #[tview(sort)]
///     pub rating: Option<i32>,
/// }
///
/// fn order(best_first: bool) -> OrderOf<Post> {
///     match best_first {
///         true => Post::RATING.desc().nulls(Nulls::Last),
///         false => Post::ID.asc(),
///     }
/// }
///
/// assert!(Post::list().order_by(order(true)).sql().is_ok());
/// assert_eq!(OrderBy::from(order(false)), OrderBy::asc("id"));
/// ```
#[must_use = "an order does nothing before it is that of a list"]
pub struct OrderOf<V> {
    order: OrderBy,
    of: PhantomData<fn() -> V>,
}

impl<V> OrderOf<V> {
    pub(super) const fn new(order: OrderBy) -> Self {
        Self {
            order,
            of: PhantomData,
        }
    }

    /// Sets the position of nulls.
    pub fn nulls(self, nulls: Nulls) -> Self {
        Self::new(self.order.nulls(nulls))
    }
}

impl<V> Clone for OrderOf<V> {
    fn clone(&self) -> Self {
        Self::new(self.order.clone())
    }
}

impl<V> PartialEq for OrderOf<V> {
    fn eq(&self, other: &Self) -> bool {
        self.order == other.order
    }
}

impl<V> fmt::Debug for OrderOf<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.order.fmt(f)
    }
}

impl<V> From<OrderOf<V>> for OrderBy {
    fn from(order: OrderOf<V>) -> Self {
        order.order
    }
}

/// A term of the order of a list of the view `V`: an [`OrderOf`] this view, or an [`OrderBy`], whose name is
/// checked when the list is read.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an order of a list of `{V}`",
    label = "not an order of this list",
    note = "a list takes orders of its own view, `{V}::FIELD.asc()` or `.desc()`"
)]
pub trait IntoOrder<V = AnyView> {
    #[doc(hidden)]
    fn into_order(self) -> OrderBy;
}

impl<V> IntoOrder<V> for OrderBy {
    fn into_order(self) -> OrderBy {
        self
    }
}

impl<V> IntoOrder<V> for OrderOf<V> {
    fn into_order(self) -> OrderBy {
        self.order
    }
}
