//! The argument `orderBy`: its type, and reading it.

use async_graphql::Value;
use async_graphql::registry::Registry;

use crate::schema::types;
use fraiseql_runtime::list;
use fraiseql_runtime::list::{Direction, Nulls, OrderBy};
use fraiseql_runtime::schema::{Field, View};

pub(super) fn order_name(view: &View) -> String {
    format!("{}OrderBy", view.shape.type_name)
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

/// Reads the argument `orderBy` as the terms of an order.
pub(crate) fn order(view: &'static View, value: &Value) -> Result<Vec<OrderBy>, String> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::List(terms) => terms.iter().map(|term| order_term(view, term)).collect(),
        term => Ok(vec![order_term(view, term)?]),
    }
}

/// Reads one term of an order.
pub(super) fn order_term(view: &'static View, value: &Value) -> Result<OrderBy, String> {
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
