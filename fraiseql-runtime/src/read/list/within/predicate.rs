//! The filter of a part as a predicate of an SQL/JSON path.

use super::comparison::{Compared, FALSE, TRUE};
use super::coverage::{filterable_in, is_json, may_be_null, member};
use crate::read::list::encode;
use crate::read::list::error::ListError;
use crate::read::list::filter::{Filter, FilterNode, Quantifier};
use crate::read::list::limits::{Depth, Nodes};
use crate::read::list::operator::Operator;
use crate::schema::{Field, Shape, Source};

/// The predicate of all objects that meet a filter, or of those that meet its opposite.
///
/// The opposite of a filter is that of its comparisons: `NOT (a AND b)` is `NOT a OR NOT b`, in three-valued logic as
/// well.
pub(super) fn predicate(
    filter: &Filter,
    shape: &'static Shape,
    negated: bool,
    depth: Depth,
    nodes: &mut Nodes,
) -> Result<String, ListError> {
    let depth = nodes.enter(depth)?;
    let joined = |filters: &[Filter], is_all: bool, nodes: &mut Nodes| {
        let predicates: Vec<String> = filters
            .iter()
            .map(|filter| predicate(filter, shape, negated, depth, nodes))
            .collect::<Result<_, _>>()?;
        let (operator, of_none) = match is_all != negated {
            true => (" && ", TRUE),
            false => (" || ", FALSE),
        };
        Ok(match predicates.as_slice() {
            [] => of_none.to_owned(),
            predicates => format!("({})", predicates.join(operator)),
        })
    };
    match &filter.node {
        FilterNode::All(filters) => joined(filters, true, nodes),
        FilterNode::Any(filters) => joined(filters, false, nodes),
        FilterNode::Not(filter) => predicate(filter, shape, !negated, depth, nodes),
        FilterNode::Within {
            field,
            quantifier,
            filter,
        } => {
            let field = field_of(shape, field, |field| field.source.part().is_some())?;
            let path = member("@", field.json);
            let exists = exists(field, *quantifier, &path, filter, depth, nodes)?;
            let not = if negated { "!" } else { "" };
            Ok(format!("({not}exists({exists}))"))
        }
        FilterNode::At {
            field,
            path,
            operator,
            value,
        } => {
            let field = field_of(shape, field, is_json)?;
            at(field, &member("@", field.json), path).predicate(*operator, value, negated)
        }
        FilterNode::Compare {
            field,
            operator,
            value,
        } => {
            let is_compared = |field: &Field| match *operator {
                Operator::IsNull => true,
                _ => field.source.scalar().is_some() && !is_json(field),
            };
            compared(field_of(shape, field, is_compared)?, "@").predicate(*operator, value, negated)
        }
        FilterNode::WithoutJson { field, reason } => {
            let field = field_of(shape, field, |field| field.source.scalar().is_some())?;
            Err(match field.source.scalar() {
                Some(ty) => encode::without_json(field.json, ty, reason),
                None => wrong_quantifier(field),
            })
        }
        FilterNode::Search { .. } => Err(ListError::Field {
            field: "search".to_owned(),
            message: "a part has no full-text index: search the document".to_owned(),
        }),
    }
}

/// The path to the objects of a field that meet a filter.
pub(super) fn exists(
    field: &'static Field,
    quantifier: Quantifier,
    path: &str,
    filter: &Filter,
    depth: Depth,
    nodes: &mut Nodes,
) -> Result<String, ListError> {
    let (Some(part), true) = (field.source.part(), quantifier.is_of(&field.source)) else {
        return Err(wrong_quantifier(field));
    };
    let predicate = predicate(filter, part, false, depth, nodes)?;
    Ok(match quantifier {
        Quantifier::Some => format!("{path}[*] ? {predicate}"),
        // A part that is null has no fields, which would be null themselves.
        Quantifier::Is if may_be_null(&field.source) => {
            format!("{path} ? (@ != null && {predicate})")
        }
        Quantifier::Is => format!("{path} ? {predicate}"),
    })
}

/// A field as what is compared.
fn compared(field: &'static Field, object: &str) -> Compared<'static> {
    Compared {
        field: field.json,
        path: member(object, field.json),
        ty: field.source.scalar().filter(|_| !is_json(field)),
    }
}

/// A value at a path of keys in the JSON of a field, which is at `json`.
pub(super) fn at(field: &'static Field, json: &str, keys: &[String]) -> Compared<'static> {
    Compared {
        field: field.json,
        path: keys
            .iter()
            .fold(json.to_owned(), |path, key| member(&path, key)),
        ty: None,
    }
}

fn field_of(
    shape: &'static Shape,
    name: &str,
    is_right: impl Fn(&Field) -> bool,
) -> Result<&'static Field, ListError> {
    let mut fields = filterable_in(shape).into_iter();
    let found = fields.find(|field| field.json == name);
    match found {
        Some(field) if is_right(field) => Ok(field),
        found => {
            let reason = match found {
                None if shape.shown_fields().any(|field| field.json == name) => {
                    "equal values of its type may have different JSON"
                }
                None => "there is no such field",
                Some(field) if field.source.part().is_some() => {
                    "it holds parts, which `some` and `is` are for"
                }
                Some(field) if is_json(field) => "it is JSON, in which `at` finds a value",
                Some(_) => "it does not hold parts",
            };
            let problem = format!("a {} cannot be filtered by {{}}: {reason}", shape.type_name);
            let names = filterable_in(shape).into_iter().map(|field| field.json);
            Err(ListError::field(name, &problem, "Its fields", names))
        }
    }
}

/// The error for a field with parts that is not filtered by its quantifier.
pub(super) fn wrong_quantifier(field: &Field) -> ListError {
    let (has, is) = match field.source {
        Source::Many(_) => ("a list of parts", "some"),
        _ => ("one part", "is"),
    };
    ListError::Field {
        field: field.json.to_owned(),
        message: format!("`{}` has {has}: use `{is}`", field.json),
    }
}
