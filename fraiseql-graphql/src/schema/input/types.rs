//! The input types of filters.

use async_graphql::registry::{MetaInputValue, Registry};

use super::filtered::{FilterField, Filtered};
use crate::schema::types::{self, input_object, input_value};
use fraiseql_runtime::list::Operator;
use fraiseql_runtime::scalar::{Scalar, ScalarType};
use fraiseql_runtime::schema::View;

/// Types that are the same in every application.
const ID: &str = "fraiseql_graphql::TvWhere";

pub(crate) fn where_name(view: &'static View) -> String {
    Filtered::Documents(view).type_name()
}

/// Registers the type of a view's argument `where`. Returns its name.
pub(crate) fn register_where(registry: &mut Registry, view: &'static View) -> String {
    register(registry, Filtered::Documents(view))
}

/// Registers the type of a filter. The recursion ends, since the derive refuses a cycle of shapes.
///
/// # Panics
/// If two fields of the filter have one name.
fn register(registry: &mut Registry, filtered: Filtered) -> String {
    let name = filtered.type_name();
    input_object(registry, &name, filtered.id(), false, |registry| {
        let mut fields: Vec<MetaInputValue> = filtered
            .fields()
            .into_iter()
            .map(|(field, of)| input_value(field, of_field(registry, filtered, of)))
            .collect();
        for (combined, ty) in [
            ("and", format!("[{name}!]")),
            ("or", format!("[{name}!]")),
            ("not", name.clone()),
        ] {
            fields.push(input_value(combined, ty));
        }
        for (at, field) in fields.iter().enumerate() {
            assert!(
                fields[..at].iter().all(|before| before.name != field.name),
                "`{name}` would have two fields `{}`; give the field of the struct another name with \
                 #[tview(json = \"..\")]",
                field.name,
            );
        }
        fields
    });
    name
}

/// Registers the type of a field of a filter. Returns its name.
fn of_field(registry: &mut Registry, filtered: Filtered, field: FilterField) -> String {
    match field {
        FilterField::Value {
            ty,
            is_key,
            operators,
        } => {
            let within = match filtered {
                Filtered::Documents(_) => "",
                Filtered::Parts(_) => "Part",
            };
            comparison(registry, ty, is_key, operators, within)
        }
        FilterField::Search => "String".to_owned(),
        FilterField::Json => of_json(registry, filtered),
        FilterField::Part(part) => {
            let filter = register(registry, Filtered::Parts(part));
            let name = format!("{}Filter", part.type_name);
            input_object(registry, &name, ID, false, |_| {
                vec![input_value("is", filter), is_null()]
            });
            name
        }
        FilterField::Parts(part) => {
            let filter = register(registry, Filtered::Parts(part));
            let name = format!("{}ListFilter", part.type_name);
            input_object(registry, &name, ID, false, |_| {
                vec![input_value("some", filter)]
            });
            name
        }
    }
}

/// Registers the type that lists the operators of a value, such as `StringFilter`. Returns its name.
fn comparison(
    registry: &mut Registry,
    ty: ScalarType,
    is_key: bool,
    operators: &[Operator],
    within: &str,
) -> String {
    let scalar = types::scalar(registry, ty, is_key);
    let list = if ty.list.is_some() { "List" } else { "" };
    let name = format!("{scalar}{list}{within}Filter");
    let value = match ty.list {
        None => scalar.to_owned(),
        Some(_) => format!("[{scalar}!]"),
    };
    input_object(registry, &name, ID, false, |_| {
        let operators = operators.iter();
        operators
            .map(|operator| operand(*operator, &value))
            .collect()
    });
    name
}

/// Registers the type of a filter of JSON. In a part, JSON is not compared as a whole.
fn of_json(registry: &mut Registry, filtered: Filtered) -> String {
    let json = types::scalar(registry, <serde_json::Value as Scalar>::TYPE, false);
    let (name, path) = match filtered {
        Filtered::Documents(_) => ("JSONFilter", "JSONPathFilter"),
        Filtered::Parts(_) => ("JSONPartFilter", "JSONPathFilter"),
    };
    input_object(registry, path, ID, false, |_| {
        let keys = input_value("path", "[String!]!".to_owned());
        let operators = Operator::in_json().iter();
        let operators = operators.map(|operator| operand(*operator, json));
        std::iter::once(keys).chain(operators).collect()
    });
    input_object(registry, name, ID, false, |_| {
        let at = input_value("at", format!("[{path}!]"));
        match filtered {
            Filtered::Documents(_) => {
                vec![operand(Operator::Contains, json), at, is_null()]
            }
            Filtered::Parts(_) => vec![at, is_null()],
        }
    });
    name.to_owned()
}

fn is_null() -> MetaInputValue {
    operand(Operator::IsNull, "")
}

/// The field of a comparison for one operator. `value` is the type of the field that is compared.
fn operand(operator: Operator, value: &str) -> MetaInputValue {
    let ty = match operator {
        Operator::IsNull => "Boolean".to_owned(),
        Operator::In | Operator::NotIn => format!("[{value}!]"),
        Operator::Like | Operator::Ilike => "String".to_owned(),
        _ => value.to_owned(),
    };
    input_value(operator.name(), ty)
}
