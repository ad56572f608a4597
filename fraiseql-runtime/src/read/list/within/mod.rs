//! Filters by what is within documents: parts, lists of parts, JSON and words, where a GIN index has them.
//!
//! A filter of a part is the predicate of an SQL/JSON path. The path is one parameter, so that the text of the statement
//! does not depend on the filter of the part; its values are literals of the path, since a path that an operator takes
//! has no variables. PostgreSQL finds documents by the equalities of such a path in the index, and tests the whole path
//! with the documents that it finds.
//!
//! | file | contains |
//! |---|---|
//! | `path` | paths and JSON that are looked for in an index |
//! | `coverage` | which fields an index has |
//! | `predicate` | the filter of a part as a predicate |
//! | `comparison` | comparisons of a field of a part, or of a value in JSON |

mod comparison;
mod coverage;
mod path;
mod predicate;

pub use coverage::{embedded, filterable_in, searches};
pub(super) use coverage::{is_embedded, search};
pub(super) use path::{IndexedPath, containing, is_null, of_json, of_part};
