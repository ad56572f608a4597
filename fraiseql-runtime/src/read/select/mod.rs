//! Field selection: writes the selected fields of JSON documents, without parsing the documents
//! into trees.
//!
//! ```text
//! text, code or GraphQL ── Selection ── compiled for a struct ── Projection ── JSON bytes
//! ```
//!
//! ```
//! use fraiseql_runtime::{Embed, Projection, Selection, TView};
//!
//! #[derive(TView)]
//! struct Post {
//!     id: i64,
//!     title: String,
//!     #[tview(one(fk = "author_id"))]
//!     author: Author,
//! }
//!
//! #[derive(Embed)]
//! #[tview(table = "tb_user")]
//! struct Author { id: i64, full_name: String }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Once:
//! let projection = Projection::of::<Post>(&"{ title author { fullName } }".parse()?)?;
//! // For each document:
//! let stored = br#"{"id": 7, "title": "Notes", "author": {"id": 1, "fullName": "Ada"}}"#;
//! let mut answer = Vec::new();
//! projection.write(stored, &mut answer)?;
//! assert_eq!(answer, br#"{"title":"Notes","author":{"fullName":"Ada"}}"#);
//! # Ok(()) }
//! ```
//!
//! # Implementation
//!
//! `compile` turns a selection into a plan for each selected object: its fields in the
//! order of the output, and the keys of the struct in both orders in which documents are stored
//! (`layout`).
//!
//! `write` reads a document once, from start to end. It walks the keys of an object in the stored
//! order: it compares the next bytes with the expected key, and copies or skips the value that
//! follows. Ends of values are found by `scan`, sixteen bytes at a time, and sixty-four in
//! containers that are not selected. The outermost object is read only up to the last selected
//! key. A key that was not expected is looked up by its whole name, never by a hash or a prefix.
//!
//! One pass suffices because a value that is read before its turn in the output is kept: a scalar
//! as its range in the document, an object as the output that it becomes, in a buffer beside the
//! output. It is appended when its turn comes. Only a field that is selected under several aliases
//! is read again for each of them.
//!
//! If consecutive fields of the output are consecutive in a `json` document, under the same names,
//! they are one copy, including the keys between them. If all fields are selected in the order of
//! the struct, this is the whole document. In `jsonb` a key is followed by a space, which the
//! output does not have; only [`Projection::all`] copies such a document as it is.
//!
//! # Guarantees
//!
//! - The output has the selected fields in the order and under the names of the selection. Values
//!   are the unchanged bytes of the document. Keys inside of JSON columns are not fields. There is
//!   no white space between names and values, whichever type the document is stored as.
//! - A key that the document does not have is null. Null for a type that is not an `Option` is an
//!   error, handled as GraphQL specifies; see [`Projection::write_with`]. This includes elements
//!   of a `Vec<T>`. A JSON column may contain `null`.
//! - If an object has two equal keys, the first one counts. (`jsonb` has no equal keys.)
//! - Any bytes may be passed. Bytes that are not a JSON object are an error, if this is found
//!   before the last selected field ends. Values that are copied are not validated: PostgreSQL
//!   has done that.

mod append;
mod compile;
mod error;
mod everything;
mod layout;
mod merge;
mod mistakes;
mod parse;
mod plan;
mod project;
mod projection;
mod scan;
mod selection;
mod simd;
mod violation;
mod write;

#[doc(hidden)]
pub use compile::BigInts;
pub use error::{ProjectionError, Segment, SelectionError};
pub use layout::StoredKeys;
pub use projection::Projection;
pub use selection::{Selected, Selection};
#[doc(hidden)]
pub use write::Written;
