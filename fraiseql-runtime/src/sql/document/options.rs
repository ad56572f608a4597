//! Options of the document query.

/// The number of documents that a statement is expected to build. It decides how the rows that
/// foreign keys refer to are found.
///
/// For few documents, looking each row up by index is fastest. The planner does not know how
/// small a batch is, and would rather scan a table of a thousand rows than look up ten. `OFFSET
/// 0` in a sub-select keeps it from turning the lookup into a join.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BatchSize {
    /// Few documents: every row is looked up by index.
    Few,
    /// Many documents: the planner may join rows inside of lists, where there are several per
    /// document. Rows are still looked up by index for the root object, and inside of nested and
    /// limited lists, which run once for each row around them.
    Many,
}

/// A part of the document, for a query that finds out which field fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Extract {
    /// The field, by the indexes of the fields that lead to it. Empty for the document.
    pub(crate) field: Vec<usize>,
    /// Whether the field's value is computed with everything in it. If not, only its row is read.
    pub(crate) whole: bool,
}

/// What the query yields for each field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Encoded values: the documents.
    Documents,
    /// The reasons why values cannot be encoded.
    RejectReasons,
}
