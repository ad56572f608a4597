//! Values that are kept until their turn in the output, and nulls in place of absent values.

use super::field_state::{FieldState, ObjectState};
use super::writer::{Mark, ProjectionWriter};
use crate::read::select::append::append;
use crate::read::select::plan::{OutputField, Plan, ValuePlan};
use crate::read::select::violation::{Mismatch, Violation};

impl<const COALESCE: bool> ProjectionWriter<'_, COALESCE> {
    /// The value of a field is a range of the document: writes it, or defers it. `prefix` is as
    /// for [`ProjectionWriter::prefix`].
    #[inline(always)]
    pub(super) fn range(
        &mut self,
        object: &mut ObjectState<'_>,
        index: usize,
        prefix: Option<usize>,
        (start, end): (usize, usize),
    ) {
        if index == object.written {
            let field = &object.plan.fields[index];
            self.prefix(field, prefix, start);
            self.value(field, start, end);
            object.written += 1;
            self.write_deferred(object);
        } else {
            self.states[object.first_state + index] = FieldState::InDocument(start, end);
        }
    }

    /// Writes the fields whose turn it is and whose values were deferred.
    #[inline(always)]
    pub(super) fn write_deferred(&mut self, object: &mut ObjectState<'_>) {
        let Some(field) = object.plan.fields.get(object.written) else {
            return;
        };
        let state = self.states[object.first_state + object.written];
        if !matches!(state, FieldState::Unread) || matches!(field.value, ValuePlan::TypeName) {
            object.written =
                self.write_deferred_from(object.plan, object.first_state, object.written);
        }
    }

    /// Writes deferred fields from an index on. Returns the index of the first field whose key has
    /// not been read.
    #[inline(never)]
    fn write_deferred_from(&mut self, plan: &Plan, first_state: usize, mut next: usize) -> usize {
        while let Some(field) = plan.fields.get(next)
            && !self.is_full()
            && self.write_if_read(field, first_state + next)
        {
            next += 1;
        }
        next
    }

    /// Writes a field, unless its key has not been read.
    #[inline(always)]
    fn write_if_read(&mut self, field: &OutputField, state: usize) -> bool {
        match self.states[state] {
            // It has no key, so its turn is all that it waits for.
            FieldState::Unread if matches!(field.value, ValuePlan::TypeName) => {
                self.bytes(&field.prefix);
            }
            FieldState::Unread => return false,
            FieldState::InDocument(start, end) => {
                self.bytes(&field.prefix);
                self.value(field, start, end);
            }
            FieldState::InSideBuffer(start, end) => {
                self.bytes(&field.prefix);
                append(self.out, self.side, start, end);
            }
            FieldState::Null => {
                self.bytes(&field.prefix);
                self.out.extend_from_slice(b"null");
            }
        }
        true
    }

    /// Writes the rest of an object that has ended: the deferred fields, and null for those whose
    /// keys are absent.
    #[inline(always)]
    pub(super) fn write_absent(&mut self, object: &mut ObjectState<'_>) {
        // `set_null` writes the field, since it is its turn, and the deferred ones after it, so the
        // loop ends. If the output is full, nothing more is written.
        while object.written < object.plan.fields.len() && !self.is_full() {
            if !object.plan.fields[object.written].nullable {
                self.violation(object.written, Mismatch::Null);
            }
            *object = self.set_null(*object, object.written);
        }
    }

    /// Ends an object at `end`: closes it, or removes it if it is null. Returns its end, and
    /// whether it is written.
    #[inline(always)]
    pub(super) fn end_object(
        &mut self,
        object: &ObjectState<'_>,
        end: usize,
        start: Mark,
        side_start: usize,
    ) -> (usize, bool) {
        // What it deferred has been written, and is not needed any more.
        self.side.truncate(side_start);
        if object.is_null {
            self.rewind(start);
        } else {
            self.byte(b'}');
        }
        (end, !object.is_null)
    }

    /// Sets a field to null, whatever the document has. If the field must not be null, the object
    /// becomes null.
    #[cold]
    #[inline(never)]
    pub(super) fn set_null<'p>(
        &mut self,
        mut object: ObjectState<'p>,
        index: usize,
    ) -> ObjectState<'p> {
        object.is_null |= !object.plan.fields[index].nullable;
        self.states[object.first_state + index] = FieldState::Null;
        self.write_deferred(&mut object);
        object
    }

    /// Records that the value of a field does not fit its type.
    #[cold]
    #[inline(never)]
    pub(super) fn violation(&mut self, field: usize, mismatch: Mismatch) {
        let mut violation = Violation::new(mismatch);
        violation.inside(field);
        self.violations.push(violation);
    }

    /// The violations from `from` on are in the field or the element with this index.
    #[cold]
    pub(super) fn inside(&mut self, from: usize, index: usize) {
        for violation in &mut self.violations[from..] {
            violation.inside(index);
        }
    }
}
