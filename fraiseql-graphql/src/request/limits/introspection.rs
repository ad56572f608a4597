//! Limits of introspection, which are the same for every application.
//!
//! Tools send the query of graphql-js, which has a depth of 15 and names types in nine levels of
//! `ofType`. It is not a cost of the application's data, so the limits for that do not apply to it.
//! What makes introspection expensive are lists within lists: each field of each type has a type
//! with fields.

/// The number of tokens in a text of introspection. The query of graphql-js has about 250.
pub(super) const MAX_TOKENS: usize = 1_000;

/// The depth of a text of introspection, and of its fields with fragments expanded.
pub(super) const MAX_NESTING: usize = 32;

/// The number of fields and fragment spreads, with fragments expanded, and the number of arguments.
/// The query of graphql-js has about 200 fields.
pub(super) const MAX_FIELDS: usize = 1_000;

/// The number of aliases.
pub(super) const MAX_ALIASES: usize = 100;

/// The depth of [lists](is_list), as in graphql-js.
pub(super) const MAX_LISTS: usize = 2;

/// Whether a field of the query type is one of introspection.
pub(super) fn is_root(field: &str) -> bool {
    matches!(field, "__schema" | "__type")
}

/// Whether a field of introspection is a list whose items have such a list again.
pub(super) fn is_list(field: &str) -> bool {
    matches!(
        field,
        "fields" | "interfaces" | "possibleTypes" | "inputFields"
    )
}
