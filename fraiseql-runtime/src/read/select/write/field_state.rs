//! The state of an object of the output, and of each of its fields, while it is written.

use crate::read::select::plan::Plan;

/// The state of a field of the output.
///
/// The fields of an object are written in the order of its plan; the fields before
/// [`ObjectState::written`] have been written. A field whose key comes earlier in the document than
/// its turn in the output is deferred: its value is kept in one of these states until then.
#[derive(Clone, Copy)]
pub(super) enum FieldState {
    /// Its key has not been read; or it was written at once, without being deferred.
    Unread,
    /// Its value is this range of the document.
    InDocument(usize, usize),
    /// Its value is an object or a list that was written to this range of the side buffer.
    InSideBuffer(usize, usize),
    /// Its value is null.
    Null,
}

/// The state of an object of the output. It is passed by value, so that it stays in registers.
#[derive(Clone, Copy)]
pub(super) struct ObjectState<'p> {
    pub(super) plan: &'p Plan,
    /// The number of fields that have been written, which is the index of the next one.
    pub(super) written: usize,
    /// The index of the state of its first field.
    pub(super) first_state: usize,
    /// Whether it becomes null, because one of its values is null and must not be.
    pub(super) is_null: bool,
}

impl ObjectState<'_> {
    /// Whether the key of a field has not been read yet.
    #[inline(always)]
    pub(super) fn is_unread(&self, states: &[FieldState], field: usize) -> bool {
        field >= self.written && matches!(states[self.first_state + field], FieldState::Unread)
    }
}
