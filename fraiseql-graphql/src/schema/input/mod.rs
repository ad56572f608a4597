//! GraphQL input types for the filter and the order of a list.
//!
//! | file | contains |
//! |---|---|
//! | `filtered` | the fields of a filter |
//! | `types` | the types of filters |
//! | `filter` | reading the argument `where` |
//! | `order` | the argument `orderBy`: its type, and reading it |

mod filter;
mod filtered;
mod order;
mod types;

use std::borrow::Cow;
use std::marker::PhantomData;

use async_graphql::registry::Registry;
use async_graphql::{InputType, InputValueError, InputValueResult, Value};

pub(crate) use self::filter::filter;
pub(crate) use self::order::{order, register_order};
pub(crate) use self::types::{register_where, where_name};
use fraiseql_runtime::TView;
use fraiseql_runtime::list::{Filter, OrderBy};

/// The filter of a list as an argument of a resolver: `PostWhere` for a view `Post`.
///
/// ```graphql
/// posts(where: {published: {eq: true}, or: [{title: {ilike: "%rust%"}}, {rating: {gte: 4}}]})
/// ```
///
/// The input type has a field for the key and for each promoted field of the document (`filter`,
/// `sort` or `unique`), and the fields `and`, `or` and `not`. A document matches if every field of
/// the argument matches.
///
/// It also has what GIN indexes of the view serve: `search` for a full text, and fields for parts and JSON that an index
/// has.
///
/// ```graphql
/// posts(where: {search: "rust -java", comments: {some: {authorId: {eq: 7}}}, author: {is: {name: {eq: "Ann"}}},
///     attributes: {contains: {color: "red"}, at: {path: ["size", "width"], gt: 20}}})
/// ```
///
/// [`Filter::some`], [`Filter::at`] and [`Filter::search`] say what they find.
pub struct TvWhere<T> {
    filter: Filter,
    of: PhantomData<fn() -> T>,
}

impl<T> TvWhere<T> {
    /// Converts to a filter of a [`List`](fraiseql_runtime::list::List).
    #[must_use]
    pub fn into_filter(self) -> Filter {
        self.filter
    }
}

/// One term of a list's order as an argument of a resolver: `PostOrderBy` for a view `Post`.
///
/// ```graphql
/// posts(orderBy: [{rating: DESC_NULLS_LAST}, {createdAt: DESC}])
/// ```
///
/// The input type has a field for the key and for each field of the document with `#[tview(sort)]`.
/// A term sets exactly one of them.
pub struct TvOrderBy<T> {
    order_by: OrderBy,
    of: PhantomData<fn() -> T>,
}

impl<T> TvOrderBy<T> {
    /// Converts to an order of a [`List`](fraiseql_runtime::list::List).
    #[must_use]
    pub fn into_order_by(self) -> OrderBy {
        self.order_by
    }
}

impl<T: TView> InputType for TvWhere<T> {
    type RawValueType = Self;

    fn type_name() -> Cow<'static, str> {
        Cow::Owned(where_name(T::VIEW))
    }

    fn create_type_info(registry: &mut Registry) -> String {
        format!("{}!", register_where(registry, T::VIEW))
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        let filter =
            filter(T::VIEW, &value.unwrap_or_default()).map_err(InputValueError::custom)?;
        Ok(Self {
            filter,
            of: PhantomData,
        })
    }

    fn to_value(&self) -> Value {
        // async-graphql calls this for the default of an argument, which this type never has.
        Value::Null
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }
}

impl<T: TView> InputType for TvOrderBy<T> {
    type RawValueType = Self;

    fn type_name() -> Cow<'static, str> {
        Cow::Owned(order::order_name(T::VIEW))
    }

    fn create_type_info(registry: &mut Registry) -> String {
        format!("{}!", register_order(registry, T::VIEW))
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        let order_by = order::order_term(T::VIEW, &value.unwrap_or_default())
            .map_err(InputValueError::custom)?;
        Ok(Self {
            order_by,
            of: PhantomData,
        })
    }

    fn to_value(&self) -> Value {
        // Never called, as in `TvWhere`.
        Value::Null
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }
}
