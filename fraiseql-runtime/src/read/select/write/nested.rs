//! Nested values: objects, lists of objects, and lists whose elements must not be null.

use super::field_state::{FieldState, ObjectState};
use super::writer::ProjectionWriter;
use crate::read::select::plan::Plan;
use crate::read::select::scan::space_end;
use crate::read::select::violation::{Mismatch, Violation};

/// The maximum number of bytes that the side buffer reserves when it is first used.
const MAX_SIDE_RESERVE: usize = 64 * 1024;

impl<const COALESCE: bool> ProjectionWriter<'_, COALESCE> {
    /// Reads the object or the list of objects that is the value of a field, and writes or defers
    /// it. `prefix` is as for [`prefix`](Self::prefix). Returns the end of the value.
    #[inline(always)]
    pub(super) fn nested(
        &mut self,
        object: &mut ObjectState<'_>,
        index: usize,
        prefix: Option<usize>,
        at: usize,
        plan: &Plan,
        list: bool,
    ) -> Option<usize> {
        let now = index == object.written;
        let start = self.mark();
        if now {
            self.prefix(&object.plan.fields[index], prefix, at);
        }
        let (end, written) = self.child(*object, index, at, plan, list, now)?;
        if written && now {
            object.written += 1;
            self.write_deferred(object);
        } else if !written {
            if now {
                self.rewind(start);
            }
            *object = self.set_null(*object, index);
        }
        Some(end)
    }

    /// Writes an object or a list of objects: to the output, or to the side buffer if it is not
    /// its turn. Returns its end, and whether it is written.
    fn child(
        &mut self,
        object: ObjectState<'_>,
        index: usize,
        at: usize,
        plan: &Plan,
        list: bool,
        now: bool,
    ) -> Option<(usize, bool)> {
        let (open, mismatch) = match list {
            false => (b'{', Mismatch::NotAnObject),
            true => (b'[', Mismatch::NotAList),
        };
        if self.json.get(at) != Some(&open) {
            self.violation(index, mismatch);
            return Some((self.value_end(at, false)?, false));
        }
        // Objects inside use the states after those of this object.
        let first_state = object.first_state + object.plan.fields.len();
        let violations = self.violations.len();
        if !now {
            if self.side.capacity() == 0 {
                self.side.reserve(self.json.len().min(MAX_SIDE_RESERVE));
            }
            // Everything below writes to `out`. The pending copy belongs to the other buffer, so it
            // is appended before each swap.
            self.flush();
            std::mem::swap(&mut self.out, &mut self.side);
        }
        let start = self.out.len();
        let (end, written) = match list {
            false => self.object(plan, at, first_state, false)?,
            true => self.list(plan, at, first_state)?,
        };
        if !now {
            self.flush();
            if written {
                self.states[object.first_state + index] =
                    FieldState::InSideBuffer(start, self.out.len());
            }
            std::mem::swap(&mut self.out, &mut self.side);
        }
        if self.violations.len() > violations {
            self.inside(violations, index);
        }
        Some((end, written))
    }

    /// Writes the list of objects at `at`. Returns its end, and whether it is written: `false` if
    /// an element is null, which makes the list null.
    fn list(&mut self, plan: &Plan, at: usize, first_state: usize) -> Option<(usize, bool)> {
        let start = self.mark();
        self.copy(at, at + 1);
        let mut valid = true;
        let end = self.elements(at, |writer, index, at| {
            if index > 0 {
                writer.byte(b',');
            }
            let violations = writer.violations.len();
            let (end, written) = if writer.json.get(at) == Some(&b'{') {
                writer.object(plan, at, first_state, false)?
            } else {
                let mismatch = match writer.json.get(at) {
                    Some(b'n') => Mismatch::Null,
                    _ => Mismatch::NotAnObject,
                };
                writer.violations.push(Violation::new(mismatch));
                (writer.value_end(at, false)?, false)
            };
            valid &= written;
            if writer.violations.len() > violations {
                writer.inside(violations, index);
            }
            (!writer.is_full()).then_some(end)
        })?;
        // An element that is not valid does not end the loop: all violations are reported.
        if valid {
            self.byte(b']');
        } else {
            self.rewind(start);
        }
        Some((end, valid))
    }

    /// Reads the elements of a list of scalars, which is copied by the caller. Returns its end, and
    /// whether no element is null.
    pub(super) fn non_null_elements(&mut self, field: usize, at: usize) -> Option<(usize, bool)> {
        if self.json.get(at) != Some(&b'[') {
            return Some((self.value_end(at, false)?, true));
        }
        let violations = self.violations.len();
        let end = self.elements(at, |writer, index, at| {
            if writer.json.get(at) == Some(&b'n') {
                let from = writer.violations.len();
                writer.violations.push(Violation::new(Mismatch::Null));
                writer.inside(from, index);
            }
            writer.value_end(at, false)
        })?;
        let valid = self.violations.len() == violations;
        if !valid {
            self.inside(violations, field);
        }
        Some((end, valid))
    }

    /// Reads the list at `at`; `element` reads each element and returns its end. Returns the end of
    /// the list.
    #[inline(always)]
    fn elements(
        &mut self,
        at: usize,
        mut element: impl FnMut(&mut Self, usize, usize) -> Option<usize>,
    ) -> Option<usize> {
        let mut at = space_end(self.json, at + 1);
        if self.json.get(at) == Some(&b']') {
            return Some(at + 1);
        }
        let mut index = 0;
        loop {
            at = element(self, index, at)?;
            index += 1;
            at = space_end(self.json, at);
            match self.json.get(at) {
                Some(b',') => at = space_end(self.json, at + 1),
                Some(b']') => return Some(at + 1),
                _ => return self.expected(at, "a comma or the end of the list"),
            }
        }
    }
}
