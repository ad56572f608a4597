//! `Plan`: how the objects of one type are read and written for one selection.

use super::append::PaddedBytes;
use super::layout::ExpectedBytes;
use crate::schema::Shape;

/// How an object is read and written.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) shape: &'static Shape,
    /// The fields to write, in the order of the output. Never empty.
    pub(super) fields: Box<[OutputField]>,
    /// The keys of the struct in each [`Layout`](super::layout::Layout), in stored order.
    pub(super) keys: [Box<[PlannedKey]>; 2],
    /// The number of keys that are selected.
    pub(super) selected_keys: usize,
    /// The maximum number of field states in use at a time: those of this object, and of the
    /// objects inside of it down to the deepest.
    pub(super) max_states: usize,
    /// Whether some fields, here or in objects inside, are consecutive both in the output and in a
    /// stored document, so that they can be copied together.
    pub(super) can_coalesce: bool,
}

impl Plan {
    /// Appends what is written around values, and of which keys they are.
    pub(super) fn write_outline(&self, out: &mut Vec<u8>) {
        for field in &self.fields {
            out.extend_from_slice(field.prefix.bytes());
            out.extend_from_slice(field.json.as_bytes());
            match &field.value {
                ValuePlan::Object(plan) | ValuePlan::List(plan) => plan.write_outline(out),
                _ if field.quotes => out.push(b'\''),
                _ => out.push(b' '),
            }
        }
        out.push(b'}');
    }
}

/// A key of the struct, at its position in the stored order.
#[derive(Debug)]
pub(super) struct PlannedKey {
    /// The bytes before its value.
    pub(super) prefix: ExpectedBytes,
    pub(super) key: &'static str,
    /// The first field of the output that is made of its value; `None` if it is not selected.
    pub(super) field: Option<usize>,
    /// Whether its value should be a UUID.
    pub(super) is_uuid: bool,
    /// Whether the output has the same bytes before the value.
    pub(super) same_prefix: bool,
}

/// A field of the output.
#[derive(Debug)]
pub(super) struct OutputField {
    /// The bytes to write before its value: a brace or a comma, the name, a colon.
    pub(super) prefix: PaddedBytes,
    /// Its name in the output.
    pub(super) response_key: String,
    /// Its name in the struct's JSON.
    pub(super) json: &'static str,
    pub(super) value: ValuePlan,
    /// Whether its numbers are written as strings.
    pub(super) quotes: bool,
    pub(super) nullable: bool,
    /// The next field of the output that is made of the same key, under another alias.
    pub(super) next_of_key: Option<usize>,
}

/// How the value of a field is written.
#[derive(Debug)]
pub(super) enum ValuePlan {
    /// `__typename`: not a value of the document. `prefix` includes the name of the type.
    TypeName,
    /// Copied.
    Scalar,
    /// A list that is copied, and whose elements must not be null.
    NonNullElements,
    /// An object, written by its own plan.
    Object(Plan),
    /// A list of objects, written by their plan.
    List(Plan),
}
