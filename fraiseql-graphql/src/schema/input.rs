//! GraphQL input types for the filter and the order of a list.
//!
//! Their fields are the promoted fields of a view and its key.

use std::borrow::Cow;
use std::marker::PhantomData;

use async_graphql::registry::{MetaInputValue, Registry};
use async_graphql::{InputType, InputValueError, InputValueResult, Value};

use super::types;
use fraiseql_runtime::TView;
use fraiseql_runtime::list;
use fraiseql_runtime::list::{Direction, Filter, Nulls, Operator, OrderBy};
use fraiseql_runtime::scalar::{Scalar, ScalarType};
use fraiseql_runtime::schema::{Field, View};

/// The filter of a list as an argument of a resolver: `PostWhere` for a view `Post`.
///
/// ```graphql
/// posts(where: {published: {eq: true}, or: [{title: {ilike: "%rust%"}}, {rating: {gte: 4}}]})
/// ```
///
/// The input type has a field for the key and for each promoted field of the document (`filter`,
/// `sort` or `unique`), and the fields `and`, `or` and `not`. A document matches if every field of
/// the argument matches.
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
        Cow::Owned(order_name(T::VIEW))
    }

    fn create_type_info(registry: &mut Registry) -> String {
        format!("{}!", register_order(registry, T::VIEW))
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        let order_by =
            order_term(T::VIEW, &value.unwrap_or_default()).map_err(InputValueError::custom)?;
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

pub(crate) fn where_name(view: &View) -> String {
    format!("{}Where", view.shape.type_name)
}

fn order_name(view: &View) -> String {
    format!("{}OrderBy", view.shape.type_name)
}

/// Registers the type of a view's argument `where`. Returns its name.
pub(crate) fn register_where(registry: &mut Registry, view: &'static View) -> String {
    let name = where_name(view);
    types::input_object(registry, &name, view.shape.id, false, |registry| {
        let of_field = |field: &&Field| {
            let ty = register_comparison(registry, view, field);
            types::input_value(field.json, ty)
        };
        let mut fields: Vec<_> = list::filterable(view).iter().map(of_field).collect();
        fields.push(types::input_value("and", format!("[{name}!]")));
        fields.push(types::input_value("or", format!("[{name}!]")));
        fields.push(types::input_value("not", name.clone()));
        fields
    });
    name
}

/// Registers the type of one term of a view's argument `orderBy`. Returns its name.
pub(crate) fn register_order(registry: &mut Registry, view: &'static View) -> String {
    let name = order_name(view);
    types::enum_type(
        registry,
        "OrderDirection",
        "fraiseql_graphql::OrderDirection",
        DIRECTIONS.iter().map(|(name, ..)| *name),
    );
    types::input_object(registry, &name, view.shape.id, true, |_| {
        let of_field = |field: &&Field| types::input_value(field.json, "OrderDirection".to_owned());
        list::sortable(view).iter().map(of_field).collect()
    });
    name
}

/// The values of the enum `OrderDirection`, with their meaning.
const DIRECTIONS: [(&str, Direction, Option<Nulls>); 6] = [
    ("ASC", Direction::Asc, None),
    ("DESC", Direction::Desc, None),
    ("ASC_NULLS_FIRST", Direction::Asc, Some(Nulls::First)),
    ("ASC_NULLS_LAST", Direction::Asc, Some(Nulls::Last)),
    ("DESC_NULLS_FIRST", Direction::Desc, Some(Nulls::First)),
    ("DESC_NULLS_LAST", Direction::Desc, Some(Nulls::Last)),
];

/// The scalar type of a promoted field.
fn scalar_type(field: &Field) -> ScalarType {
    // Always there: the derive does not promote objects and lists of objects.
    let ty = field.source.scalar().copied();
    ty.unwrap_or(<String as Scalar>::TYPE)
}

/// Registers the type that lists the operators of a field, such as `StringFilter`. Returns its
/// name.
fn register_comparison(registry: &mut Registry, view: &View, field: &Field) -> String {
    let ty = scalar_type(field);
    let scalar = types::scalar(registry, ty, types::is_key(view.shape, field));
    let suffix = if ty.list.is_some() { "List" } else { "" };
    let name = format!("{scalar}{suffix}Filter");
    let value = match ty.list {
        None => scalar.to_owned(),
        Some(_) => format!("[{scalar}!]"),
    };
    types::input_object(registry, &name, "fraiseql_graphql::TvWhere", false, |_| {
        let operators = Operator::of(&ty).iter();
        operators
            .map(|operator| operand(*operator, &value))
            .collect()
    });
    name
}

/// The field of a comparison for one operator. `value` is the type of the field that is compared.
fn operand(operator: Operator, value: &str) -> MetaInputValue {
    let ty = match operator {
        Operator::IsNull => "Boolean".to_owned(),
        Operator::In | Operator::NotIn => format!("[{value}!]"),
        Operator::Like | Operator::Ilike => "String".to_owned(),
        _ => value.to_owned(),
    };
    types::input_value(operator.name(), ty)
}

/// Reads the argument `where` as a filter.
pub(crate) fn filter(view: &'static View, value: &Value) -> Result<Filter, String> {
    let Value::Object(fields) = value else {
        return Err(format!("{} is an object, not {value}", where_name(view)));
    };
    let mut all = Vec::with_capacity(fields.len());
    for (name, value) in fields {
        match (name.as_str(), value) {
            // A condition that is null counts as omitted.
            (_, Value::Null) => {}
            ("and", value) => all.push(Filter::all(filters(view, value)?)),
            ("or", value) => all.push(Filter::any(filters(view, value)?)),
            ("not", value) => all.push(Filter::not(filter(view, value)?)),
            (field, Value::Object(comparisons)) => {
                if comparisons.is_empty() {
                    return Err(format!(
                        "{field}: {{}} compares with nothing; omit the field to match all values"
                    ));
                }
                for (operator, value) in comparisons {
                    all.push(comparison(view, field, operator, value)?);
                }
            }
            (field, value) => {
                return Err(format!(
                    "{field} is compared by an operator, such as {{eq: {value}}}"
                ));
            }
        }
    }
    Ok(Filter::all(all))
}

/// Reads a list of filters. By the coercion rules of GraphQL, a single value is a list of one.
fn filters(view: &'static View, value: &Value) -> Result<Vec<Filter>, String> {
    match value {
        Value::List(values) => values.iter().map(|value| filter(view, value)).collect(),
        value => Ok(vec![filter(view, value)?]),
    }
}

/// Reads one operator and its operand.
fn comparison(view: &View, field: &str, name: &str, value: &Value) -> Result<Filter, String> {
    let Some(operator) = Operator::from_name(name) else {
        return Err(format!("{field}: unknown operator {name}"));
    };
    if *value == Value::Null {
        return Err(format!(
            "{field}: {{{name}: null}} matches no value; use {{isNull: true}} to match null, or omit \
             the comparison"
        ));
    }
    let mut value = value
        .clone()
        .into_json()
        .map_err(|error| format!("{field}: {error}"))?;
    // By the coercion rules of GraphQL, a single value is a list of one.
    let takes_list = operator.takes_list() || is_list(view, field) && operator != Operator::IsNull;
    if takes_list && !value.is_array() {
        value = serde_json::Value::Array(vec![value]);
    }
    Ok(Filter::compare(field, operator, value))
}

/// Whether a field is a list of values.
fn is_list(view: &View, name: &str) -> bool {
    let mut fields = view.shape.fields.iter();
    let field = fields.find(|field| field.json == name);
    field.is_some_and(|field| scalar_type(field).list.is_some())
}

/// Reads the argument `orderBy` as the terms of an order.
pub(crate) fn order(view: &'static View, value: &Value) -> Result<Vec<OrderBy>, String> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::List(terms) => terms.iter().map(|term| order_term(view, term)).collect(),
        term => Ok(vec![order_term(view, term)?]),
    }
}

/// Reads one term of an order.
fn order_term(view: &'static View, value: &Value) -> Result<OrderBy, String> {
    let expected = || {
        format!(
            "{} is an object with one field, such as {{{}: DESC}}, not {value}",
            order_name(view),
            list::sortable(view)
                .first()
                .map_or("id", |field| field.json),
        )
    };
    let Value::Object(term) = value else {
        return Err(expected());
    };
    let mut fields = term.iter();
    let (Some((field, direction)), None) = (fields.next(), fields.next()) else {
        return Err(expected());
    };
    let direction = match direction {
        Value::Enum(name) => name.as_str(),
        Value::String(name) => name.as_str(),
        _ => return Err(expected()),
    };
    let Some((_, direction, nulls)) = DIRECTIONS.iter().find(|(name, ..)| *name == direction)
    else {
        return Err(expected());
    };
    let term = match direction {
        Direction::Asc => OrderBy::asc(field.as_str()),
        Direction::Desc => OrderBy::desc(field.as_str()),
    };
    Ok(match nulls {
        Some(nulls) => term.nulls(*nulls),
        None => term,
    })
}
