//! Random filters, evaluated in Rust for each document.

use std::cmp::Ordering;

use fraiseql_runtime::TView;
use fraiseql_runtime::list::{Direction, Filter, Nulls, Operator, filterable};
use fraiseql_runtime::schema::Source;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::things::{Chance, Thing, values};
use super::{By, Oracle};

impl Oracle {
    /// The order of two values of a field; `None` if one is null.
    pub(super) fn compare(&self, field: &str, left: &Value, right: &Value) -> Option<Ordering> {
        if left.is_null() || right.is_null() {
            return None;
        }
        Some(match field.trim_end_matches("Or") {
            "flag" => left.as_bool().cmp(&right.as_bool()),
            "id" | "small" | "medium" | "large" => left.as_i64().cmp(&right.as_i64()),
            "single" | "double" => left
                .as_f64()
                .unwrap()
                .partial_cmp(&right.as_f64().unwrap())?,
            "amount" => {
                let decimal = |value: &Value| value.as_str().unwrap().parse::<Decimal>().unwrap();
                decimal(left).cmp(&decimal(right))
            }
            "name" | "status" => {
                let rank = |value: &Value| self.ranks[value.as_str().unwrap()];
                rank(left).cmp(&rank(right))
            }
            // Lists are only equal or different.
            "tags" if left == right => Ordering::Equal,
            "tags" => Ordering::Less,
            // ISO 8601 of one width except for the fraction, and the zone is UTC.
            _ => {
                let text = |value: &Value| {
                    value
                        .as_str()
                        .unwrap()
                        .trim_end_matches("+00:00")
                        .to_owned()
                };
                text(left).cmp(&text(right))
            }
        })
    }

    /// Whether a document matches a comparison; `None` if that is unknown.
    pub(super) fn holds(
        &self,
        document: &Value,
        field: &str,
        operator: Operator,
        value: &Value,
    ) -> Option<bool> {
        let own = &document[field];
        let ordering = |value| self.compare(field, own, value);
        match operator {
            Operator::IsNull => Some(Some(own.is_null()) == value.as_bool()),
            Operator::Eq => ordering(value).map(Ordering::is_eq),
            Operator::Ne => ordering(value).map(Ordering::is_ne),
            Operator::Lt => ordering(value).map(Ordering::is_lt),
            Operator::Lte => ordering(value).map(Ordering::is_le),
            Operator::Gt => ordering(value).map(Ordering::is_gt),
            Operator::Gte => ordering(value).map(Ordering::is_ge),
            Operator::In | Operator::NotIn => {
                let values = value.as_array().unwrap();
                let is_in = if values.is_empty() {
                    Some(false)
                } else if own.is_null() {
                    None
                } else {
                    Some(
                        values
                            .iter()
                            .any(|value| ordering(value) == Some(Ordering::Equal)),
                    )
                };
                is_in.map(|is_in| is_in == (operator == Operator::In))
            }
            Operator::Contains | Operator::HasAny => {
                let own = own.as_array()?;
                let mut values = value.as_array().unwrap().iter();
                Some(match operator {
                    Operator::Contains => values.all(|value| own.contains(value)),
                    _ => values.any(|value| own.contains(value)),
                })
            }
            Operator::Like | Operator::Ilike => {
                let (own, pattern) = (own.as_str()?, value.as_str().unwrap());
                let (own, pattern) = if operator == Operator::Ilike {
                    (own.to_lowercase(), pattern.to_lowercase())
                } else {
                    (own.to_owned(), pattern.to_owned())
                };
                Some(like(
                    &own.chars().collect::<Vec<_>>(),
                    &pattern.chars().collect::<Vec<_>>(),
                ))
            }
        }
    }

    pub(super) fn keys(&self, tree: &Tree) -> Vec<i64> {
        self.documents
            .iter()
            .filter(|document| tree.holds(self, document) == Some(true))
            .map(|document| document["id"].as_i64().unwrap())
            .collect()
    }

    /// The keys of documents in an order.
    pub(super) fn ordered(&self, tree: &Tree, order: &[By]) -> Vec<i64> {
        let mut documents: Vec<&Value> = self
            .documents
            .iter()
            .filter(|document| tree.holds(self, document) == Some(true))
            .collect();
        documents.sort_by(|left, right| {
            let by_terms = order.iter().map(|by| {
                let (left, right) = (&left[by.field], &right[by.field]);
                let nulls_first = match by.nulls {
                    None => by.direction == Direction::Desc,
                    Some(nulls) => nulls == Nulls::First,
                };
                match self.compare(by.field, left, right) {
                    Some(ordering) if by.direction == Direction::Desc => ordering.reverse(),
                    Some(ordering) => ordering,
                    None if nulls_first => right.is_null().cmp(&left.is_null()),
                    None => left.is_null().cmp(&right.is_null()),
                }
            });
            let key = left["id"].as_i64().cmp(&right["id"].as_i64());
            let descending = order
                .first()
                .is_some_and(|by| by.direction == Direction::Desc);
            by_terms
                .chain([if descending { key.reverse() } else { key }])
                .find(|ordering| ordering.is_ne())
                .unwrap_or(Ordering::Equal)
        });
        documents
            .iter()
            .map(|document| document["id"].as_i64().unwrap())
            .collect()
    }
}

pub(super) fn like(text: &[char], pattern: &[char]) -> bool {
    match (text, pattern) {
        ([], []) => true,
        (_, ['%', rest @ ..]) => (0..=text.len()).any(|skip| like(&text[skip..], rest)),
        ([_, text @ ..], ['_', rest @ ..]) => like(text, rest),
        ([c, text @ ..], ['\\', escaped, rest @ ..]) => c == escaped && like(text, rest),
        ([c, text @ ..], [p, rest @ ..]) => c == p && *p != '\\' && like(text, rest),
        _ => false,
    }
}

/// A filter, as a request and as a predicate.
#[derive(Clone, Debug)]
pub(super) enum Tree {
    Compare(&'static str, Operator, Value),
    All(Vec<Tree>),
    Any(Vec<Tree>),
    Not(Box<Tree>),
}

impl Tree {
    pub(super) fn filter(&self) -> Filter {
        match self {
            Self::Compare(field, operator, value) => {
                Filter::compare(*field, *operator, value.clone())
            }
            Self::All(all) => Filter::all(all.iter().map(Self::filter)),
            Self::Any(any) => Filter::any(any.iter().map(Self::filter)),
            Self::Not(not) => Filter::not(not.filter()),
        }
    }

    pub(super) fn holds(&self, oracle: &Oracle, document: &Value) -> Option<bool> {
        match self {
            Self::Compare(field, operator, value) => {
                oracle.holds(document, field, *operator, value)
            }
            Self::Not(not) => not.holds(oracle, document).map(|holds| !holds),
            Self::All(all) => Self::decided_by(false, all, oracle, document),
            Self::Any(any) => Self::decided_by(true, any, oracle, document),
        }
    }

    /// One operand with this value decides; otherwise an unknown one makes the result unknown.
    pub(super) fn decided_by(
        by: bool,
        trees: &[Self],
        oracle: &Oracle,
        document: &Value,
    ) -> Option<bool> {
        let mut holds = Some(!by);
        for tree in trees {
            match tree.holds(oracle, document) {
                Some(value) if value == by => return Some(by),
                Some(_) => {}
                None => holds = None,
            }
        }
        holds
    }

    pub(super) fn random(chance: &mut Chance, depth: usize) -> Self {
        let kind = if depth == 0 { 0 } else { chance.below(5) };
        match kind {
            3 => Self::Not(Box::new(Self::random(chance, depth - 1))),
            1 | 2 => {
                let count = chance.below(4);
                let trees = (0..count)
                    .map(|_| Self::random(chance, depth - 1))
                    .collect();
                if kind == 1 {
                    Self::All(trees)
                } else {
                    Self::Any(trees)
                }
            }
            _ => {
                let (field, operators) = chance.one(&comparisons());
                let operator = chance.one(operators);
                let value = chance.one(&given(field, operator));
                Self::Compare(field, operator, value)
            }
        }
    }
}

/// Every field with its operators.
pub(super) fn comparisons() -> Vec<(&'static str, &'static [Operator])> {
    filterable(Thing::VIEW)
        .iter()
        .map(|field| {
            let Source::Column { ty, .. } = &field.source else {
                unreachable!()
            };
            (field.json, Operator::of(ty))
        })
        .collect()
}

/// The operand for a field and an operator.
pub(super) fn given(field: &str, operator: Operator) -> Vec<Value> {
    let values = values(field);
    match operator {
        Operator::IsNull => vec![json!(true), json!(false)],
        Operator::In | Operator::NotIn => vec![
            json!([]),
            json!([values[0]]),
            json!([values[0], values[1], values[1]]),
            Value::Array(values),
        ],
        Operator::Like | Operator::Ilike => {
            let patterns = [
                "", "%", "a%", "A%", "_", "a_b", "a\\_b", "a\\%%", "%\\\\%", "\\a%", "É", "%DROP%",
                "%a%b%",
            ];
            patterns.into_iter().map(Value::from).collect()
        }
        Operator::Contains | Operator::HasAny => {
            let values = match field {
                "tags" => json!([[], ["a"], ["b", "a", "a"], ["NULL", "c"], ["\"{}\\"]]),
                _ => json!([[], [1], [2], [2, 1], [1, 3], [3]]),
            };
            values.as_array().unwrap().clone()
        }
        _ => values,
    }
}
