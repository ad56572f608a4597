//! How large a GraphQL document may be.

mod document;
mod text;

use async_graphql::ServerError;

use crate::error::error;

/// How large a GraphQL document may be, before anything of it is executed.
///
/// What a small text can cost is found before it costs: the text is counted before it is parsed,
/// since the parser calls itself for each bracket; the document is counted with its fragments put
/// in before it is validated, since thirty fragments that each name the next one twice are a
/// thousand million fields, and no time limit stops a thread that counts them.
///
/// This is the outer wall. What a field costs only the schema knows: `limit_depth` and
/// `limit_complexity` of async-graphql's `SchemaBuilder`, and pages with a limit.
///
/// ```
/// use fraiseql_graphql::DocumentLimits;
///
/// let limits = DocumentLimits::default().fields(500).aliases(20);
/// assert_eq!(limits.max_fields, 500);
/// assert_eq!(limits.max_tokens, DocumentLimits::default().max_tokens);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DocumentLimits {
    /// Names, values and punctuation of the text. 10,000 by default.
    pub max_tokens: usize,
    /// Brackets within brackets in the text, and fields within fields, fragments put in. 64 by
    /// default, the most that the parser of async-graphql takes of fields.
    pub max_nesting: usize,
    /// Fields and fragments, fragments put in; and as many arguments and directives. 5,000 by
    /// default.
    pub max_fields: usize,
    /// Fields under another name, fragments put in. 500 by default.
    pub max_aliases: usize,
}

impl Default for DocumentLimits {
    fn default() -> Self {
        Self {
            max_tokens: 10_000,
            max_nesting: 64,
            max_fields: 5_000,
            max_aliases: 500,
        }
    }
}

impl DocumentLimits {
    /// Sets [`max_tokens`](Self::max_tokens).
    #[must_use]
    pub fn tokens(mut self, most: usize) -> Self {
        self.max_tokens = most;
        self
    }

    /// Sets [`max_nesting`](Self::max_nesting). Each level takes some of the stack of the thread
    /// that parses: for more than the default, measure.
    #[must_use]
    pub fn nesting(mut self, most: usize) -> Self {
        self.max_nesting = most;
        self
    }

    /// Sets [`max_fields`](Self::max_fields).
    #[must_use]
    pub fn fields(mut self, most: usize) -> Self {
        self.max_fields = most;
        self
    }

    /// Sets [`max_aliases`](Self::max_aliases).
    #[must_use]
    pub fn aliases(mut self, most: usize) -> Self {
        self.max_aliases = most;
        self
    }
}

fn exceeded(most: usize, what: &str) -> ServerError {
    error(
        format!("the document has more than {most} {what}"),
        "DOCUMENT_TOO_LARGE",
    )
}
