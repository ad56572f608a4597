//! What can be wrong with a list.

use crate::error::Error;
use crate::schema::naming::near;

/// Why a list cannot be read.
///
/// All but [`Read`](Self::Read) are found before anything is sent to the database, and are
/// about what was asked for: their texts can be shown to who asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListError {
    /// A filter, an order or an omission names what the documents do not have, or not as a
    /// column.
    #[error("{message}")]
    Field {
        /// The name, its first 64 characters.
        field: String,
        /// What is wrong with it, and what there is.
        message: String,
    },

    /// A field cannot be compared in this way.
    #[error("`{field}` has no `{operator}`: there are {}", names(operators))]
    Operator {
        /// The field's name in the document.
        field: &'static str,
        /// The operator.
        operator: super::Operator,
        /// Those that there are.
        operators: &'static [super::Operator],
    },

    /// A value is none of the field's type.
    #[error("`{field}` cannot be compared with {value}: expected {expected}")]
    Value {
        /// The field's name in the document.
        field: &'static str,
        /// The value, its first 64 characters.
        value: String,
        /// What it must be.
        expected: String,
    },

    /// There is too much of something.
    #[error("too many {what}: at most {most} are allowed")]
    TooLarge {
        /// Of what.
        what: &'static str,
        /// The most that there may be.
        most: usize,
    },

    /// A cursor cannot be read, or belongs to a list of other documents or of another order.
    #[error("{reason}")]
    Cursor {
        /// What is wrong with it.
        reason: &'static str,
    },

    /// A page has a size and a beginning of its own.
    #[error("`limit` and `offset` are for `read`: the size of a page is in the `Page`")]
    LimitOfPage,

    /// The database could not be asked, or what it has cannot be read.
    #[error(transparent)]
    Read(#[from] Error),
}

fn names(operators: &[super::Operator]) -> String {
    let names: Vec<String> = operators
        .iter()
        .map(|operator| format!("`{operator}`"))
        .collect();
    names.join(", ")
}

/// The most that is said of what was given.
const SHOWN: usize = 64;

/// The beginning of a text that somebody else wrote.
pub(super) fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}..", &text[..end]),
    }
}

impl ListError {
    /// `name` is not among `fields`, which `can` do something.
    pub(super) fn field<'n>(
        name: &str,
        trouble: &str,
        fields: impl Iterator<Item = &'n str> + Clone,
    ) -> Self {
        let shown = shown(name);
        // What is longer than any name is not compared with them.
        let near = (name.len() <= SHOWN)
            .then(|| near(name, fields.clone()))
            .flatten();
        let list: Vec<&str> = fields.collect();
        let there_are = match near {
            Some(near) => format!("; did you mean `{near}`? There are"),
            None => "; there are".to_owned(),
        };
        Self::Field {
            message: format!(
                "{}{there_are} {}",
                trouble.replace("{}", &format!("`{shown}`")),
                list.join(", ")
            ),
            field: shown,
        }
    }
}
