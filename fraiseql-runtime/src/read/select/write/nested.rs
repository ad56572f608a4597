//! What is nested: objects, lists of them, and lists that are looked through.

use super::super::bytes::space_end;
use super::super::compile::Plan;
use super::super::violation::{Violation, Wrong};
use super::Pass;
use super::answer::{Object, Waiting};

/// So many bytes are made room for at once, where something is written aside.
const MOST_ASIDE: usize = 64 * 1024;

impl<const RUNS: bool> Pass<'_, RUNS> {
    /// Writes an object or a list of them, if it is one.
    #[inline(always)]
    pub(super) fn nested(
        &mut self,
        object: &mut Object<'_>,
        index: usize,
        key: Option<usize>,
        at: usize,
        plan: &Plan,
        list: bool,
    ) -> Option<usize> {
        let now = index == object.done;
        let start = self.mark();
        if now {
            self.before(&object.plan.fields[index], key, at);
        }
        let (end, written) = self.child(*object, index, at, plan, list, now)?;
        if written && now {
            object.done += 1;
            self.waited(object);
        } else if !written {
            if now {
                self.back(start);
            }
            *object = self.nulled(*object, index);
        }
        Some(end)
    }

    /// Writes an object or a list of them, now or aside. Gives its end, and whether it is
    /// written.
    fn child(
        &mut self,
        object: Object<'_>,
        index: usize,
        at: usize,
        plan: &Plan,
        list: bool,
        now: bool,
    ) -> Option<(usize, bool)> {
        let (open, wrong) = match list {
            false => (b'{', Wrong::NoObject),
            true => (b'[', Wrong::NoList),
        };
        if self.json.get(at) != Some(&open) {
            self.violate(index, wrong);
            return Some((self.value_end(at, false)?, false));
        }
        let base = object.base + object.plan.fields.len();
        let violations = self.violations.len();
        if !now {
            if self.aside.capacity() == 0 {
                self.aside.reserve(self.json.len().min(MOST_ASIDE));
            }
            self.flush();
            std::mem::swap(&mut self.out, &mut self.aside);
        }
        let start = self.out.len();
        let (end, written) = match list {
            false => self.object(plan, at, base, false)?,
            true => self.list(plan, at, base)?,
        };
        if !now {
            self.flush();
            if written {
                self.waiting[object.base + index] = Waiting::Aside(start, self.out.len());
            }
            std::mem::swap(&mut self.out, &mut self.aside);
        }
        if self.violations.len() > violations {
            self.below(violations, index);
        }
        Some((end, written))
    }

    fn list(&mut self, plan: &Plan, at: usize, base: usize) -> Option<(usize, bool)> {
        let start = self.mark();
        self.copy(at, at + 1);
        let mut right = true;
        let end = self.items(at, |pass, index, at| {
            if index > 0 {
                pass.byte(b',');
            }
            let violations = pass.violations.len();
            let (end, written) = if pass.json.get(at) == Some(&b'{') {
                pass.object(plan, at, base, false)?
            } else {
                let wrong = match pass.json.get(at) {
                    Some(b'n') => Wrong::Null,
                    _ => Wrong::NoObject,
                };
                pass.violations.push(Violation::new(wrong));
                (pass.value_end(at, false)?, false)
            };
            right &= written;
            if pass.violations.len() > violations {
                pass.below(violations, index);
            }
            Some(end)
        })?;
        if right {
            self.byte(b']');
        } else {
            self.back(start);
        }
        Some((end, right))
    }

    /// Looks at the elements of a list of scalars. Gives its end, and whether none is null.
    pub(super) fn elements(&mut self, field: usize, at: usize) -> Option<(usize, bool)> {
        if self.json.get(at) != Some(&b'[') {
            return Some((self.value_end(at, false)?, true));
        }
        let violations = self.violations.len();
        let end = self.items(at, |pass, index, at| {
            if pass.json.get(at) == Some(&b'n') {
                let from = pass.violations.len();
                pass.violations.push(Violation::new(Wrong::Null));
                pass.below(from, index);
            }
            pass.value_end(at, false)
        })?;
        let right = self.violations.len() == violations;
        if !right {
            self.below(violations, field);
        }
        Some((end, right))
    }

    /// Goes through the list that begins at `at`, whose items `item` reads. Gives its end.
    #[inline(always)]
    fn items(
        &mut self,
        at: usize,
        mut item: impl FnMut(&mut Self, usize, usize) -> Option<usize>,
    ) -> Option<usize> {
        let mut at = space_end(self.json, at + 1);
        if self.json.get(at) == Some(&b']') {
            return Some(at + 1);
        }
        let mut index = 0;
        loop {
            at = item(self, index, at)?;
            index += 1;
            at = space_end(self.json, at);
            match self.json.get(at) {
                Some(b',') => at = space_end(self.json, at + 1),
                Some(b']') => return Some(at + 1),
                _ => return self.fault(at, "a comma or the end of the list"),
            }
        }
    }
}
