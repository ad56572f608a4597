//! `ListError`: why a list cannot be read.

use super::operator::Operator;
use crate::error::Error;
use crate::schema::naming::{did_you_mean, nearest_name};

/// Why a list cannot be read.
///
/// All variants but [`Read`](Self::Read) are mistakes in the list itself, and are found before the
/// statement is sent. Their texts can be shown to the client that requested the list.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListError {
    /// A filter, an order or an omission names a field that the documents do not have, or that
    /// cannot be used in this way.
    #[error("{message}")]
    Field {
        /// The name, truncated to 64 characters.
        field: String,
        /// What is wrong with the name, and which fields can be used.
        message: String,
    },

    /// The type of a field does not have this operator.
    #[error(
        "`{field}` does not have the operator `{operator}`; its operators are {}",
        names(operators)
    )]
    Operator {
        /// The field's name in the document.
        field: &'static str,
        /// The operator.
        operator: Operator,
        /// The operators that the field has.
        operators: &'static [Operator],
    },

    /// A value is not of the field's type.
    #[error("`{field}` cannot be compared with {value}: expected {expected}")]
    Value {
        /// The field's name in the document.
        field: &'static str,
        /// The value, truncated to 64 characters.
        value: String,
        /// What the value must be.
        expected: String,
    },

    /// The list exceeds a limit.
    #[error("too many {what}: at most {limit} are allowed")]
    TooLarge {
        /// What is limited.
        what: &'static str,
        /// The maximum.
        limit: usize,
    },

    /// A cursor cannot be decoded, or belongs to another list or order.
    #[error("{reason}")]
    Cursor {
        /// What is wrong with the cursor.
        reason: &'static str,
    },

    /// A page was read from a list with `limit` or `offset`.
    #[error(
        "`limit` and `offset` cannot be combined with a page, which has a size and a start of its own"
    )]
    LimitWithPage,

    /// The query failed, or a stored document cannot be deserialized.
    #[error(transparent)]
    Read(#[from] Error),
}

fn names(operators: &[Operator]) -> String {
    let names: Vec<String> = operators
        .iter()
        .map(|operator| format!("`{operator}`"))
        .collect();
    names.join(", ")
}

/// The maximum length, in characters, of a client's text in a message.
const MAX_SHOWN: usize = 64;

/// The start of a text that comes from a client.
pub(super) fn truncated(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}..", &text[..end]),
    }
}

impl ListError {
    /// An error for a name that is not one of `fields`.
    ///
    /// `problem` has `{}` in place of the name; `label` introduces the list of fields.
    pub(super) fn field<'n>(
        name: &str,
        problem: &str,
        label: &str,
        fields: impl Iterator<Item = &'n str> + Clone,
    ) -> Self {
        let shown = truncated(name);
        // The distance to each field takes time that is proportional to the length of the name,
        // which the client chooses. A name longer than any field is not a typing error.
        let near = (name.len() <= MAX_SHOWN)
            .then(|| nearest_name(name, fields.clone()))
            .flatten()
            .filter(|near| *near != name);
        let end = match near {
            Some(_) => did_you_mean(near),
            None => ".".to_owned(),
        };
        let problem = problem.replace("{}", &format!("`{shown}`"));
        let list: Vec<&str> = fields.collect();
        let list = match list.as_slice() {
            [] => "none".to_owned(),
            list => list.join(", "),
        };
        Self::Field {
            message: format!("{problem}{end} {label}: {list}"),
            field: shown,
        }
    }
}
