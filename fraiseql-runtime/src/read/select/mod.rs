//! Field selection over JSON bytes: which fields of a document are wanted, and the document
//! with these alone.
//!
//! ```text
//! text, code or GraphQL ── Selection ── compiled against a shape ── Projection ── bytes
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
//! # How it is done
//!
//! The bytes of a document are read once, from the front, and become no tree. `compile` makes of
//! a selection a plan for each object in it: its fields in the order of the answer, and those of
//! the struct in both orders in which documents are stored (`order`). `write` goes through an
//! object along the stored order: it compares the next bytes with the key that is expected,
//! copies the value or passes over it (`bytes`, sixteen bytes a step, sixty-four in containers
//! that nobody asked for), and reads on. Of the outermost object it reads no more than what is
//! asked for. A key that was not expected is looked up by its whole name; nothing is ever found
//! by a hash or by a part of it.
//!
//! A field that comes before its turn waits: a scalar as a place in the document, an object
//! already written, in a buffer beside the answer.
//!
//! Fields of a `json` document that follow each other in the answer, under their names, are one
//! copy, with the keys between them. Where everything is asked for in the order of the struct,
//! that is the whole document. In `jsonb`, keys have a space behind them, which the answer has
//! not: only [`Projection::all`] copies it as it is.
//!
//! # What is promised
//!
//! - The answer has the fields of the selection in its order, under its names. Values are the
//!   bytes of the document, as they are. Keys in JSON columns are nobody's fields. Between names
//!   and values is no white space, however the document is stored.
//! - A key that is absent is null. Null where the type has no `Option` is an error, as GraphQL
//!   says it; see [`Projection::write_with`]. Elements of a `Vec<T>` are not null either, and a
//!   column of JSON that holds `null` is null.
//! - Of two equal keys in one object, the first counts. (`jsonb` has no equal keys.)
//! - Any bytes may be given. Those that are no JSON object are an error, if that is seen before
//!   the last field that is asked for; whether the values that are copied are JSON down to the
//!   last byte is not looked at, since PostgreSQL has done that.

mod block;
mod bytes;
mod compile;
mod error;
mod everything;
mod order;
mod parse;
mod piece;
mod projection;
mod selection;
mod violation;
mod write;

pub use error::{ProjectionError, Segment, SelectionError};
pub use order::StoredKeys;
pub use projection::Projection;
pub use selection::{Selected, Selection};
