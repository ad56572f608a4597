//! The limits and their defaults.

use async_graphql::ServerError;

use crate::error::error;

/// Limits on the size of a GraphQL document, checked before any of it is executed.
///
/// They bound the work that a small text can cause. Tokens and nesting are counted in the text,
/// before it is parsed, since the parser recurses for each bracket. Fields are counted in the
/// parsed document, before it is validated, each fragment as often as it is spread: thirty
/// fragments that each spread the next one twice have a thousand million fields, and no time limit
/// stops a thread that counts them.
///
/// The limits do not know what a field costs. For that, the schema has `limit_depth` and
/// `limit_complexity` of async-graphql's `SchemaBuilder`, and maximum page sizes.
///
/// # Introspection
///
/// What is selected below `__schema` and `__type` does not count for these limits. Tools such as
/// GraphiQL and code generators send one query, which must pass whatever an application allows for its
/// data. Introspection has fixed limits instead: 1,000 fields and arguments, 100 aliases and 32 levels;
/// and of the lists `fields`, `interfaces`, `possibleTypes` and `inputFields`, at most two within each
/// other, as in graphql-js.
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
    /// Maximum number of names, values and punctuators in the text. 10,000 by default.
    pub max_tokens: usize,
    /// Maximum depth of nested brackets in the text, and of nested fields with fragments expanded.
    /// 64 by default.
    pub max_nesting: usize,
    /// Maximum number of fields and fragment spreads, with fragments expanded; and maximum number
    /// of arguments and directives. 5,000 by default.
    pub max_fields: usize,
    /// Maximum number of aliases, with fragments expanded. 500 by default.
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
    pub fn tokens(mut self, max: usize) -> Self {
        self.max_tokens = max;
        self
    }

    /// Sets [`max_nesting`](Self::max_nesting). Each level uses some of the stack of the thread
    /// that parses: measure before you raise the default.
    #[must_use]
    pub fn nesting(mut self, max: usize) -> Self {
        self.max_nesting = max;
        self
    }

    /// Sets [`max_fields`](Self::max_fields).
    #[must_use]
    pub fn fields(mut self, max: usize) -> Self {
        self.max_fields = max;
        self
    }

    /// Sets [`max_aliases`](Self::max_aliases).
    #[must_use]
    pub fn aliases(mut self, max: usize) -> Self {
        self.max_aliases = max;
        self
    }
}

/// The error of a document that exceeds a limit.
pub(super) fn exceeded(max: usize, unit: &str) -> ServerError {
    error(
        format!("the document has more than {max} {unit}"),
        "DOCUMENT_TOO_LARGE",
    )
}
