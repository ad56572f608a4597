//! Which documents are wanted, and in which order, as GraphQL input types.
//!
//! They are made of the promoted columns of a view, and of its key.

use std::borrow::Cow;
use std::marker::PhantomData;

use async_graphql::registry::{MetaInputValue, Registry};
use async_graphql::{InputType, InputValueError, InputValueResult, Value};

use super::types;
use fraiseql_runtime::TView;
use fraiseql_runtime::list;
use fraiseql_runtime::list::{Direction, Filter, Nulls, Operator, OrderBy};
use fraiseql_runtime::scalar::ScalarType;
use fraiseql_runtime::schema::{Field, View};

/// The argument that says which documents of a view are wanted: `PostWhere`.
///
/// ```graphql
/// posts(where: {published: {eq: true}, or: [{title: {ilike: "%rust%"}}, {rating: {gte: 4}}]})
/// ```
///
/// It has a field for each promoted field of the document that has `filter`, `sort` or
/// `unique`, and one for the key; and `and`, `or` and `not`. All that it says must hold.
pub struct TvWhere<T> {
    filter: Filter,
    of: PhantomData<fn() -> T>,
}

impl<T> TvWhere<T> {
    /// The condition, for a [`List`](fraiseql_runtime::list::List).
    #[must_use]
    pub fn into_filter(self) -> Filter {
        self.filter
    }
}

/// A term of the argument that says in which order documents are wanted: `PostOrderBy`.
///
/// ```graphql
/// posts(orderBy: [{rating: DESC_NULLS_LAST}, {createdAt: DESC}])
/// ```
///
/// It has a field for each field of the document that has `#[tview(sort)]`, and one for the
/// key, and names exactly one of them.
pub struct TvOrderBy<T> {
    order_by: OrderBy,
    of: PhantomData<fn() -> T>,
}

impl<T> TvOrderBy<T> {
    /// The term, for a [`List`](fraiseql_runtime::list::List).
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
        // It would be the default of an argument, and there is none to make one with.
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
        // As in `TvWhere`.
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

/// Registers the type of a view's `where`. Gives its name.
pub(crate) fn register_where(registry: &mut Registry, view: &'static View) -> String {
    let name = where_name(view);
    types::input_object(registry, &name, view.shape.id, false, |registry| {
        let of_field = |field: &&Field| {
            let ty = register_comparison(registry, view, field);
            types::input(field.json, ty)
        };
        let mut fields: Vec<_> = list::filterable(view).iter().map(of_field).collect();
        fields.push(types::input("and", format!("[{name}!]")));
        fields.push(types::input("or", format!("[{name}!]")));
        fields.push(types::input("not", name.clone()));
        fields
    });
    name
}

/// Registers the type of a term of a view's order. Gives its name.
pub(crate) fn register_order(registry: &mut Registry, view: &'static View) -> String {
    let name = order_name(view);
    types::enum_type(
        registry,
        "OrderDirection",
        "fraiseql_graphql::OrderDirection",
        DIRECTIONS.iter().map(|(name, ..)| *name),
    );
    types::input_object(registry, &name, view.shape.id, true, |_| {
        let of_field = |field: &&Field| types::input(field.json, "OrderDirection".to_owned());
        list::sortable(view).iter().map(of_field).collect()
    });
    name
}

/// The names of directions, and what they mean.
const DIRECTIONS: [(&str, Direction, Option<Nulls>); 6] = [
    ("ASC", Direction::Asc, None),
    ("DESC", Direction::Desc, None),
    ("ASC_NULLS_FIRST", Direction::Asc, Some(Nulls::First)),
    ("ASC_NULLS_LAST", Direction::Asc, Some(Nulls::Last)),
    ("DESC_NULLS_FIRST", Direction::Desc, Some(Nulls::First)),
    ("DESC_NULLS_LAST", Direction::Desc, Some(Nulls::Last)),
];

/// The type of the document's field.
pub(crate) fn type_of(field: &Field) -> ScalarType {
    match &field.source {
        fraiseql_runtime::schema::Source::Column { ty, .. }
        | fraiseql_runtime::schema::Source::Expr { ty, .. } => *ty,
        fraiseql_runtime::schema::Source::Aggregate(aggregate) => aggregate.ty,
        // Objects and lists of objects are not promoted.
        fraiseql_runtime::schema::Source::One(_) | fraiseql_runtime::schema::Source::Many(_) => {
            <String as fraiseql_runtime::Scalar>::TYPE
        }
    }
}

/// Registers the type of what a field can be compared with: `StringFilter`. Gives its name.
fn register_comparison(registry: &mut Registry, view: &View, field: &Field) -> String {
    let ty = type_of(field);
    let scalar = types::scalar(registry, ty, types::is_key(view.shape, field));
    let kind = if ty.list.is_some() { "List" } else { "" };
    let name = format!("{scalar}{kind}Filter");
    let value = match ty.list {
        None => scalar.to_owned(),
        Some(_) => format!("[{scalar}!]"),
    };
    types::input_object(registry, &name, "fraiseql_graphql::TvWhere", false, |_| {
        let operators = Operator::of(&ty).iter();
        operators
            .map(|operator| comparison(*operator, &value))
            .collect()
    });
    name
}

fn comparison(operator: Operator, value: &str) -> MetaInputValue {
    let ty = match operator {
        Operator::IsNull => "Boolean".to_owned(),
        Operator::In | Operator::NotIn => format!("[{value}!]"),
        Operator::Like | Operator::Ilike => "String".to_owned(),
        _ => value.to_owned(),
    };
    types::input(operator.name(), ty)
}

/// The filter that a `where` stands for.
pub(crate) fn filter(view: &'static View, value: &Value) -> Result<Filter, String> {
    let Value::Object(fields) = value else {
        return Err(format!("{} is an object, not {value}", where_name(view)));
    };
    let mut all = Vec::with_capacity(fields.len());
    for (name, value) in fields {
        match (name.as_str(), value) {
            // As if it were not there.
            (_, Value::Null) => {}
            ("and", value) => all.push(Filter::all(filters(view, value)?)),
            ("or", value) => all.push(Filter::any(filters(view, value)?)),
            ("not", value) => all.push(Filter::not(filter(view, value)?)),
            (field, Value::Object(comparisons)) => {
                if comparisons.is_empty() {
                    return Err(format!(
                        "{field}: {{}} compares with nothing; leave it out where all values are \
                         wanted"
                    ));
                }
                for (operator, value) in comparisons {
                    all.push(compared(field, operator, value)?);
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

/// The filters of a list, or the one filter that stands for a list of one.
fn filters(view: &'static View, value: &Value) -> Result<Vec<Filter>, String> {
    match value {
        Value::List(values) => values.iter().map(|value| filter(view, value)).collect(),
        value => Ok(vec![filter(view, value)?]),
    }
}

fn compared(field: &str, name: &str, value: &Value) -> Result<Filter, String> {
    let Some(operator) = Operator::from_name(name) else {
        return Err(format!("{field}: there is no operator {name}"));
    };
    if *value == Value::Null {
        return Err(format!(
            "{field}: {{{name}: null}} is true of no value; write {{isNull: true}} for those that \
             are null, or leave the comparison out"
        ));
    }
    let mut value = value
        .clone()
        .into_json()
        .map_err(|error| format!("{field}: {error}"))?;
    // In GraphQL a value stands for a list of it.
    if matches!(operator, Operator::In | Operator::NotIn) && !value.is_array() {
        value = serde_json::Value::Array(vec![value]);
    }
    Ok(Filter::compare(field, operator, value))
}

/// The order that a list of terms stands for.
pub(crate) fn order(view: &'static View, value: &Value) -> Result<Vec<OrderBy>, String> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::List(terms) => terms.iter().map(|term| order_term(view, term)).collect(),
        term => Ok(vec![order_term(view, term)?]),
    }
}

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
