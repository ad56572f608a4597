//! The conditions that select the rows after a given row.
//!
//! The rows before it are those after it in the reversed order.

use super::order::Term;
use super::parameter::Parameter;

/// The values of the terms of a row, at which a page begins or ends. `None` is null.
pub(crate) type Bound = Vec<Option<Parameter>>;

pub(super) fn reversed(terms: &[Term]) -> Vec<Term> {
    terms.iter().copied().map(Term::reversed).collect()
}

/// The rows after a row whose first term is not null, among the rows whose first term is not null.
/// The condition gives the position in the index of the first term.
pub(super) fn after_in_index(terms: &[Term], bound: &[Option<Parameter>]) -> String {
    match (terms, bound) {
        ([key], [Some(value)]) => format!("{} {} {value}", key.name(), key.after_operator()),
        // PostgreSQL compares rows by an index on these columns.
        ([first, key @ ..], bound)
            if is_key_of(first, key) && bound.iter().all(Option::is_some) =>
        {
            let names: Vec<String> = terms.iter().map(Term::sorted).collect();
            let values = terms.iter().zip(bound.iter().flatten());
            let values: Vec<String> = values.map(|(term, value)| sorted(term, value)).collect();
            format!(
                "({}) {} ({})",
                names.join(", "),
                first.after_operator(),
                values.join(", ")
            )
        }
        // `>=` gives the position; the rest filters the rows that are equal in the first term.
        ([first, rest @ ..], [Some(value), others @ ..]) => {
            let (name, operator) = (first.sorted(), first.after_operator());
            let value = sorted(first, value);
            format!(
                "{name} {operator}= {value} AND ({name} {operator} {value} OR {})",
                after(rest, others)
            )
        }
        _ => after(terms, bound),
    }
}

/// Whether terms are the rest of an order by `first`, and all are in its direction: the key.
fn is_key_of(first: &Term, terms: &[Term]) -> bool {
    let mut terms = terms.iter();
    terms.all(|term| term.is_key && term.descending == first.descending)
}

/// The value of a bound, as the term orders it.
fn sorted(term: &Term, value: &Parameter) -> String {
    term.sorted_value(&value.to_string())
}

/// The rows after a row, in any order and with any nulls.
pub(super) fn after(terms: &[Term], bound: &[Option<Parameter>]) -> String {
    let ([first, rest @ ..], [value, others @ ..]) = (terms, bound) else {
        // Equal in all terms: the same row.
        return "FALSE".to_owned();
    };
    let (name, operator) = (first.sorted(), first.after_operator());
    let Some(value) = value else {
        let equal = format!("{name} IS NULL AND {}", after(rest, others));
        return if first.nulls_first {
            format!("({name} IS NOT NULL OR {equal})")
        } else {
            format!("({equal})")
        };
    };
    if first.is_key && rest.is_empty() {
        return format!("{name} {operator} {value}");
    }
    let value = sorted(first, value);
    let nulls = if first.is_key || first.nulls_first {
        String::new()
    } else {
        format!(" OR {name} IS NULL")
    };
    format!(
        "({name} {operator} {value}{nulls} OR {name} = {value} AND {})",
        after(rest, others)
    )
}
