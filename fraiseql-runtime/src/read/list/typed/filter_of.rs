//! `FilterOf`: a filter whose fields and values the compiler has checked.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Not;

use super::AnyView;
use crate::read::list::filter::{Filter, FilterNode};

/// A condition on the documents of the view `V`, made of comparisons of a
/// [`Column`](crate::list::Column), combined by and, or, not.
///
/// [`Filter`] says how nulls behave.
///
/// ```
/// use fraiseql_runtime::TView;
/// use fraiseql_runtime::list::{Filter, FilterOf, Operator};
///
/// #[derive(TView)]
/// pub struct Post {
///     pub id: i64,
///     #[tview(filter)]
///     pub tag: Option<String>,
/// }
///
/// fn tagged(tags: &[&str]) -> FilterOf<Post> {
///     let any = FilterOf::any(tags.iter().map(|tag| Post::TAG.eq(tag)));
///     any.and(Post::ID.gt(7))
/// }
///
/// // The same by names.
/// let named = Filter::all([
///     Filter::any([Filter::eq("tag", "rust"), Filter::eq("tag", "sql")]),
///     Filter::compare("id", Operator::Gt, 7),
/// ]);
/// assert_eq!(Filter::from(tagged(&["rust", "sql"])), named);
/// ```
#[must_use = "a filter does nothing before it is that of a list"]
pub struct FilterOf<V> {
    filter: Filter,
    of: PhantomData<fn() -> V>,
}

impl<V> FilterOf<V> {
    pub(super) const fn new(filter: Filter) -> Self {
        Self {
            filter,
            of: PhantomData,
        }
    }

    /// This filter and another one.
    pub fn and(self, other: Self) -> Self {
        Self::new(match self.filter.node {
            // One level for a chain of any length: the levels of a filter are limited.
            FilterNode::All(mut filters) => {
                filters.push(other.filter);
                Filter::all(filters)
            }
            node => Filter::all([Filter { node }, other.filter]),
        })
    }

    /// This filter or another one, or both.
    pub fn or(self, other: Self) -> Self {
        Self::new(match self.filter.node {
            FilterNode::Any(mut filters) => {
                filters.push(other.filter);
                Filter::any(filters)
            }
            node => Filter::any([Filter { node }, other.filter]),
        })
    }

    /// The opposite of the filter. If the filter is unknown, because of a null, so is its opposite.
    #[expect(
        clippy::should_implement_trait,
        reason = "beside `and` and `or`, without an import"
    )]
    pub fn not(self) -> Self {
        Self::new(Filter::not(self.filter))
    }

    /// All of these filters. Without any, every document meets it.
    pub fn all(filters: impl IntoIterator<Item = Self>) -> Self {
        Self::new(Filter::all(filters.into_iter().map(|it| it.filter)))
    }

    /// At least one of these filters. Without any, no document meets it.
    pub fn any(filters: impl IntoIterator<Item = Self>) -> Self {
        Self::new(Filter::any(filters.into_iter().map(|it| it.filter)))
    }
}

impl<V> Not for FilterOf<V> {
    type Output = Self;

    fn not(self) -> Self {
        self.not()
    }
}

impl<V> Clone for FilterOf<V> {
    fn clone(&self) -> Self {
        Self::new(self.filter.clone())
    }
}

impl<V> PartialEq for FilterOf<V> {
    fn eq(&self, other: &Self) -> bool {
        self.filter == other.filter
    }
}

impl<V> fmt::Debug for FilterOf<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.filter.fmt(f)
    }
}

/// To combine it with filters that name their fields by text.
impl<V> From<FilterOf<V>> for Filter {
    fn from(filter: FilterOf<V>) -> Self {
        filter.filter
    }
}

/// A filter that a list of the view `V` takes: a [`FilterOf`] this view, or a [`Filter`], whose names and
/// values are checked when the list is read.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a filter of a list of `{V}`",
    label = "not a filter of this list",
    note = "a list takes filters of its own view; `Filter::from(..)` of one is checked at run time"
)]
pub trait IntoFilter<V = AnyView> {
    #[doc(hidden)]
    fn into_filter(self) -> Filter;
}

impl<V> IntoFilter<V> for Filter {
    fn into_filter(self) -> Filter {
        self
    }
}

impl<V> IntoFilter<V> for FilterOf<V> {
    fn into_filter(self) -> Filter {
        self.filter
    }
}
