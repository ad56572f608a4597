//! The filter of a list.

use super::parameter::Parameter;
use super::view_row::column;
use crate::schema::SearchText;
use crate::sql::indexed;

/// A condition on a row of the view table.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Condition {
    /// `column <operator> value`.
    Compare {
        column: &'static str,
        operator: &'static str,
        value: Parameter,
    },
    /// `column IS NULL`, or `IS NOT NULL`.
    IsNull {
        column: &'static str,
        is: bool,
    },
    /// `data -> 'key' <operator> value`: a value in the document, which a GIN index has.
    Within {
        path: &'static [&'static str],
        operator: &'static str,
        value: Parameter,
    },
    /// Whether the words of a full-text index match a query, in the syntax of `websearch_to_tsquery`.
    Search {
        texts: &'static [SearchText],
        language: &'static str,
        query: Parameter,
    },
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
}

impl Condition {
    pub(super) fn text(&self) -> String {
        match self {
            Self::Compare {
                column: name,
                operator,
                value,
            } => {
                let name = column(name);
                if operator.ends_with("ANY") || operator.ends_with("ALL") {
                    format!("{name} {operator} ({value})")
                } else {
                    format!("{name} {operator} {value}")
                }
            }
            Self::IsNull { column: name, is } => {
                let not = if *is { "" } else { "NOT " };
                format!("{} IS {not}NULL", column(name))
            }
            Self::Within {
                path,
                operator,
                value,
            } => {
                let mut indexed = indexed::value(path, &column("data"));
                if !path.is_empty() {
                    indexed = format!("({indexed})");
                }
                format!("{indexed} OPERATOR(pg_catalog.{operator}) {value}")
            }
            Self::Search {
                texts,
                language,
                query,
            } => format!(
                "{} OPERATOR(pg_catalog.@@) pg_catalog.websearch_to_tsquery({}, {query})",
                indexed::words(texts, language, &column("data"), column),
                indexed::configuration(language),
            ),
            Self::All(all) => Self::joined(all, " AND ", "TRUE"),
            Self::Any(any) => Self::joined(any, " OR ", "FALSE"),
            Self::Not(not) => format!("NOT ({})", not.text()),
        }
    }

    /// Appends the columns that are compared. What an index has is not among them: only views with a table have
    /// indexes.
    pub(super) fn add_columns(&self, columns: &mut Vec<&'static str>) {
        match self {
            Self::Within { .. } | Self::Search { .. } => {}
            Self::Compare { column, .. } | Self::IsNull { column, .. } => columns.push(column),
            Self::All(all) | Self::Any(all) => {
                all.iter()
                    .for_each(|condition| condition.add_columns(columns));
            }
            Self::Not(not) => not.add_columns(columns),
        }
    }

    /// The conditions joined by an operator; `empty` is the value of no conditions.
    fn joined(conditions: &[Self], by: &str, empty: &str) -> String {
        let texts: Vec<String> = conditions.iter().map(Self::text).collect();
        match texts.as_slice() {
            [] => empty.to_owned(),
            [one] => one.clone(),
            _ => format!("({})", texts.join(by)),
        }
    }
}
