//! The answer while it is written: what is next in it, what waits for its turn, what is null.

use super::super::compile::{Kind, Plan, Wanted};
use super::super::piece::append;
use super::super::violation::{Violation, Wrong};
use super::Pass;
use super::run::Mark;

/// A field of the answer that has come before its turn.
#[derive(Clone, Copy)]
pub(super) enum Waiting {
    /// It has not come, or is written.
    Not,
    /// It is this part of the document.
    Stored(usize, usize),
    /// It is this part of what was written aside.
    Aside(usize, usize),
    /// It is null.
    Null,
}

/// An object while it is written. It is handed on by value, so that it stays in registers.
#[derive(Clone, Copy)]
pub(super) struct Object<'p> {
    pub(super) plan: &'p Plan,
    /// So many fields are written.
    pub(super) done: usize,
    /// Where those that wait are kept.
    pub(super) base: usize,
    /// A value is null that cannot be, and so is this.
    pub(super) null: bool,
}

impl Object<'_> {
    /// Whether this field has not come yet.
    #[inline(always)]
    pub(super) fn lacks(&self, waiting: &[Waiting], field: usize) -> bool {
        field >= self.done && matches!(waiting[self.base + field], Waiting::Not)
    }
}

impl<const RUNS: bool> Pass<'_, RUNS> {
    #[inline(always)]
    pub(super) fn finish(
        &mut self,
        object: &Object<'_>,
        end: usize,
        start: Mark,
        start_aside: usize,
    ) -> (usize, bool) {
        self.aside.truncate(start_aside);
        if object.null {
            self.back(start);
        } else {
            self.byte(b'}');
        }
        (end, !object.null)
    }

    /// A part of the document is the value of a field. `key` is as for [`Pass::before`].
    #[inline(always)]
    pub(super) fn stored(
        &mut self,
        object: &mut Object<'_>,
        index: usize,
        key: Option<usize>,
        (at, end): (usize, usize),
    ) {
        if index == object.done {
            self.before(&object.plan.fields[index], key, at);
            self.copy(at, end);
            object.done += 1;
            self.waited(object);
        } else {
            self.waiting[object.base + index] = Waiting::Stored(at, end);
        }
    }

    /// Writes the fields whose turn it is and that have waited for it.
    #[inline(always)]
    pub(super) fn waited(&mut self, object: &mut Object<'_>) {
        let Some(field) = object.plan.fields.get(object.done) else {
            return;
        };
        let comes = matches!(self.waiting[object.base + object.done], Waiting::Not);
        if !comes || matches!(field.kind, Kind::TypeName) {
            object.done = self.drain(object.plan, object.base, object.done);
        }
    }

    /// Writes what has waited, from this field on. Gives the first that has not come.
    #[inline(never)]
    pub(super) fn drain(&mut self, plan: &Plan, base: usize, mut done: usize) -> usize {
        while let Some(field) = plan.fields.get(done)
            && self.written(field, base + done)
        {
            done += 1;
        }
        done
    }

    #[inline(always)]
    pub(super) fn written(&mut self, field: &Wanted, place: usize) -> bool {
        match self.waiting[place] {
            Waiting::Not if matches!(field.kind, Kind::TypeName) => self.piece(&field.before),
            Waiting::Not => return false,
            Waiting::Stored(at, end) => {
                self.piece(&field.before);
                self.copy(at, end);
            }
            Waiting::Aside(at, end) => {
                self.piece(&field.before);
                append(self.out, self.aside, at, end);
            }
            Waiting::Null => {
                self.piece(&field.before);
                self.out.extend_from_slice(b"null");
            }
        }
        true
    }

    /// Writes what is left when the object has ended: what waits, and null for what is absent.
    #[inline(always)]
    pub(super) fn rest(&mut self, object: &mut Object<'_>) {
        while object.done < object.plan.fields.len() {
            if !object.plan.fields[object.done].nullable {
                self.violate(object.done, Wrong::Null);
            }
            *object = self.nulled(*object, object.done);
        }
    }

    /// The value of a field is null, in place of what the document has or has not.
    #[cold]
    #[inline(never)]
    pub(super) fn nulled<'p>(&mut self, mut object: Object<'p>, index: usize) -> Object<'p> {
        object.null |= !object.plan.fields[index].nullable;
        self.waiting[object.base + index] = Waiting::Null;
        self.waited(&mut object);
        object
    }

    #[cold]
    #[inline(never)]
    pub(super) fn violate(&mut self, field: usize, wrong: Wrong) {
        let mut violation = Violation::new(wrong);
        violation.below(field);
        self.violations.push(violation);
    }

    /// The violations from this one on are in the field or the item at this place.
    #[cold]
    pub(super) fn below(&mut self, from: usize, place: usize) {
        for violation in &mut self.violations[from..] {
            violation.below(place);
        }
    }
}
