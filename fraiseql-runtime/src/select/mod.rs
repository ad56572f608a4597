//! Field selection over JSON bytes: which fields of a document are wanted, and the document
//! with these alone.
//!
//! ```text
//! text, code or GraphQL ── Selection ── compiled against a shape ── Projection ── bytes
//! ```

mod projection;
mod selection;

pub use projection::{Projection, ProjectionError, Segment};
pub use selection::{Selected, Selection, SelectionError};
