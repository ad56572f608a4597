//! The one pass over a document that writes what was selected of it.

use super::bytes::{container_end, space_end, string_end, uuid_end, value_end};
use super::compile::{Kind, Known, Plan, Wanted};
use super::error::ProjectionError;
use super::order::Layout;
use super::piece::append;
use super::violation::{Violation, Wrong, told};

/// So many fields may wait without memory of their own.
const FEW: usize = 32;

/// So many keys are gone through one by one, where no more of an object is wanted.
const FEW_KEYS: usize = 4;

/// So many bytes are made room for at once, where something is written aside.
const MOST_ASIDE: usize = 64 * 1024;

/// Appends what `plan` wants of `document` to `out`. `false`, with nothing appended, where
/// that is null or cannot be read.
pub(super) fn write(
    plan: &Plan,
    document: &[u8],
    out: &mut Vec<u8>,
    errors: &mut Vec<ProjectionError>,
) -> bool {
    let start = out.len();
    let mut few = [Waiting::Not; FEW];
    let mut many = Vec::new();
    let waiting = match plan.waiting {
        0..=FEW => &mut few[..],
        more => {
            many.resize(more, Waiting::Not);
            &mut many[..]
        }
    };
    let mut pass = Pass {
        json: document,
        layout: Layout::of(document) as usize,
        out,
        aside: &mut Vec::new(),
        waiting,
        violations: Vec::new(),
        fault: None,
    };
    let read = pass.object(plan, space_end(document, 0), 0, true);
    let Pass {
        violations, fault, ..
    } = pass;
    let Some((_, written)) = read else {
        out.truncate(start);
        let (at, expected) = fault.unwrap_or((document.len(), "a value"));
        errors.push(ProjectionError {
            message: format!(
                "the document is no JSON object: at byte {at}, {expected} is expected"
            ),
            path: Vec::new(),
        });
        return false;
    };
    if !violations.is_empty() {
        errors.extend(told(plan, violations));
    }
    written
}

/// A field of the answer that has come before its turn.
#[derive(Clone, Copy)]
enum Waiting {
    /// It has not come, or is written.
    Not,
    /// It is this part of the document.
    Stored(usize, usize),
    /// It is this part of what was written aside.
    Aside(usize, usize),
    /// It is null.
    Null,
}

struct Pass<'d> {
    json: &'d [u8],
    layout: usize,
    /// Where is written, and where what comes before its turn is written. An object that comes
    /// before its turn is written with the two exchanged.
    out: &'d mut Vec<u8>,
    aside: &'d mut Vec<u8>,
    waiting: &'d mut [Waiting],
    violations: Vec<Violation>,
    fault: Option<(usize, &'static str)>,
}

/// An object while it is written. It is handed on by value, so that it stays in registers.
#[derive(Clone, Copy)]
struct Object<'p> {
    plan: &'p Plan,
    /// So many fields are written.
    done: usize,
    /// Where those that wait are kept.
    base: usize,
    /// A value is null that cannot be, and so is this.
    null: bool,
}

impl Object<'_> {
    /// Whether this field has not come yet.
    #[inline(always)]
    fn lacks(&self, waiting: &[Waiting], field: usize) -> bool {
        field >= self.done && matches!(waiting[self.base + field], Waiting::Not)
    }
}

/// What stands where a key was not as expected.
enum Next {
    /// The object has ended.
    End(usize),
    /// The value of a key.
    Value {
        at: usize,
        /// The key's place in the stored order, if it is known.
        known: Option<usize>,
    },
}

impl<'d> Pass<'d> {
    #[cold]
    #[inline(never)]
    fn fault<T>(&mut self, at: usize, expected: &'static str) -> Option<T> {
        self.fault.get_or_insert((at, expected));
        None
    }

    #[inline(always)]
    fn value_end(&mut self, at: usize, uuid: bool) -> Option<usize> {
        if uuid && let Some(end) = uuid_end(self.json, at) {
            return Some(end);
        }
        match value_end(self.json, at) {
            None => self.fault(at, "a value"),
            end => end,
        }
    }

    /// Writes the object that begins at `at`. Gives its end, and whether it is written: `false`
    /// where it is null instead. The root has no end: it is read no further than needed.
    fn object(&mut self, plan: &Plan, at: usize, base: usize, root: bool) -> Option<(usize, bool)> {
        let (start, start_aside) = (self.out.len(), self.aside.len());
        let order = &plan.orders[self.layout];
        let mut object = Object {
            plan,
            done: 0,
            base,
            null: false,
        };
        self.waiting[base..base + plan.fields.len()].fill(Waiting::Not);
        let mut missing = plan.keys;
        let mut expected = 0;
        let mut at = at;
        if matches!(plan.fields[0].kind, Kind::TypeName) {
            self.waited(&mut object);
        }
        if missing == 0 && root {
            return match self.json.get(at) {
                Some(b'{') => Some(self.finish(&object, at, start, start_aside)),
                _ => self.fault(at, "an object"),
            };
        }
        loop {
            let known = order.get(expected);
            let predicted = known.and_then(|known| Some((known, known.before.end(self.json, at)?)));
            let mut uuid = false;
            let wanted = match predicted {
                Some((known, value)) => {
                    at = match self.json.get(value) {
                        Some(b' ' | b'\n' | b'\r' | b'\t') => space_end(self.json, value),
                        _ => value,
                    };
                    expected += 1;
                    uuid = known.uuid;
                    known.wanted
                }
                None if expected == order.len() && self.json.get(at) == Some(&b'}') => {
                    at += 1;
                    self.rest(&mut object);
                    break;
                }
                None => match self.look_up(plan, at, expected)? {
                    Next::End(end) => {
                        at = end;
                        self.rest(&mut object);
                        break;
                    }
                    Next::Value { at: value, known } => {
                        at = value;
                        expected = known.map_or(expected, |place| place + 1);
                        known.and_then(|place| order[place].wanted)
                    }
                },
            };
            // After the first key, the brace that opens the object is not expected any more.
            expected = expected.max(1);
            let first = match wanted {
                Some(field) if object.lacks(self.waiting, field) => field,
                _ => {
                    at = self.value_end(at, uuid)?;
                    continue;
                }
            };
            let end = self.field(&mut object, first, at, uuid)?;
            let mut next = plan.fields[first].next;
            while let Some(field) = next {
                object = self.alias(object, field, at)?;
                next = plan.fields[field].next;
            }
            at = end;
            missing -= 1;
            if missing == 0 {
                // All that is wanted is there. Few keys are gone through, many are passed over.
                if root {
                    break;
                }
                if order.len() - expected > FEW_KEYS {
                    match container_end(self.json, at) {
                        None => return self.fault(at, "the end of the object"),
                        Some(end) => at = end,
                    }
                    break;
                }
            }
        }
        Some(self.finish(&object, at, start, start_aside))
    }

    /// Writes what else is made of the value of a field.
    #[inline(never)]
    fn alias<'p>(&mut self, mut object: Object<'p>, field: usize, at: usize) -> Option<Object<'p>> {
        self.field(&mut object, field, at, false)?;
        Some(object)
    }

    #[inline(always)]
    fn finish(
        &mut self,
        object: &Object<'_>,
        end: usize,
        start: usize,
        start_aside: usize,
    ) -> (usize, bool) {
        self.aside.truncate(start_aside);
        if object.null {
            self.out.truncate(start);
        } else {
            self.out.push(b'}');
        }
        (end, !object.null)
    }

    /// Reads a key in any form of JSON.
    #[inline(never)]
    fn look_up(&mut self, plan: &Plan, at: usize, expected: usize) -> Option<Next> {
        let json = self.json;
        let mut at = space_end(json, at);
        let first = expected == 0;
        match json.get(at) {
            Some(b'{') if first => {
                at = space_end(json, at + 1);
                if json.get(at) == Some(&b'}') {
                    return Some(Next::End(at + 1));
                }
            }
            _ if first => return self.fault(at, "an object"),
            Some(b'}') => return Some(Next::End(at + 1)),
            Some(b',') => at = space_end(json, at + 1),
            _ => return self.fault(at, "a comma or the end of the object"),
        }
        if json.get(at) != Some(&b'"') {
            return self.fault(at, "a key");
        }
        let Some(end) = string_end(json, at + 1) else {
            return self.fault(at, "a key");
        };
        let quoted = &json[at..end];
        let colon = space_end(json, end);
        if json.get(colon) != Some(&b':') {
            return self.fault(colon, "a colon");
        }
        Some(Next::Value {
            at: space_end(json, colon + 1),
            known: place(&plan.orders[self.layout], quoted, expected),
        })
    }

    /// Reads a field's value at `at`, and writes it or lets it wait. Gives its end.
    #[inline(always)]
    fn field(
        &mut self,
        object: &mut Object<'_>,
        index: usize,
        at: usize,
        uuid: bool,
    ) -> Option<usize> {
        let field = &object.plan.fields[index];
        let null = self.json.get(at) == Some(&b'n');
        if null && !field.nullable {
            self.violate(index, Wrong::Null);
            object.null = true;
        }
        match &field.kind {
            Kind::One(plan) if !null => self.nested(object, index, at, plan, false),
            Kind::Many(plan) if !null => self.nested(object, index, at, plan, true),
            Kind::Elements if !null => {
                let (end, right) = self.elements(index, at)?;
                if right {
                    self.stored(object, index, at, end);
                } else {
                    *object = self.nulled(*object, index);
                }
                Some(end)
            }
            _ => {
                let end = self.value_end(at, uuid)?;
                self.stored(object, index, at, end);
                Some(end)
            }
        }
    }

    /// Writes an object or a list of them, if it is one.
    #[inline(always)]
    fn nested(
        &mut self,
        object: &mut Object<'_>,
        index: usize,
        at: usize,
        plan: &Plan,
        list: bool,
    ) -> Option<usize> {
        let now = index == object.done;
        let (end, written) = self.child(*object, index, at, plan, list, now)?;
        if !written {
            *object = self.nulled(*object, index);
        } else if now {
            object.done += 1;
            self.waited(object);
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
        let before = self.out.len();
        if now {
            object.plan.fields[index].before.append(self.out);
        } else {
            if self.aside.capacity() == 0 {
                self.aside.reserve(self.json.len().min(MOST_ASIDE));
            }
            std::mem::swap(&mut self.out, &mut self.aside);
        }
        let start = self.out.len();
        let (end, written) = match list {
            false => self.object(plan, at, base, false)?,
            true => self.list(plan, at, base)?,
        };
        if !now {
            if written {
                self.waiting[object.base + index] = Waiting::Aside(start, self.out.len());
            }
            std::mem::swap(&mut self.out, &mut self.aside);
        } else if !written {
            self.out.truncate(before);
        }
        if self.violations.len() > violations {
            self.below(violations, index);
        }
        Some((end, written))
    }

    fn list(&mut self, plan: &Plan, at: usize, base: usize) -> Option<(usize, bool)> {
        let start = self.out.len();
        self.out.push(b'[');
        let mut right = true;
        let end = self.items(at, |pass, index, at| {
            if index > 0 {
                pass.out.push(b',');
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
            self.out.push(b']');
        } else {
            self.out.truncate(start);
        }
        Some((end, right))
    }

    /// Looks at the elements of a list of scalars. Gives its end, and whether none is null.
    fn elements(&mut self, field: usize, at: usize) -> Option<(usize, bool)> {
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

    /// A part of the document is the value of a field.
    #[inline(always)]
    fn stored(&mut self, object: &mut Object<'_>, index: usize, at: usize, end: usize) {
        if index == object.done {
            object.plan.fields[index].before.append(self.out);
            append(self.out, self.json, at, end);
            object.done += 1;
            self.waited(object);
        } else {
            self.waiting[object.base + index] = Waiting::Stored(at, end);
        }
    }

    /// Writes the fields whose turn it is and that have waited for it.
    #[inline(always)]
    fn waited(&mut self, object: &mut Object<'_>) {
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
    fn drain(&mut self, plan: &Plan, base: usize, mut done: usize) -> usize {
        while let Some(field) = plan.fields.get(done)
            && self.written(field, base + done)
        {
            done += 1;
        }
        done
    }

    #[inline(always)]
    fn written(&mut self, field: &Wanted, place: usize) -> bool {
        match self.waiting[place] {
            Waiting::Not if matches!(field.kind, Kind::TypeName) => field.before.append(self.out),
            Waiting::Not => return false,
            Waiting::Stored(at, end) => {
                field.before.append(self.out);
                append(self.out, self.json, at, end);
            }
            Waiting::Aside(at, end) => {
                field.before.append(self.out);
                append(self.out, self.aside, at, end);
            }
            Waiting::Null => {
                field.before.append(self.out);
                self.out.extend_from_slice(b"null");
            }
        }
        true
    }

    /// Writes what is left when the object has ended: what waits, and null for what is absent.
    #[inline(always)]
    fn rest(&mut self, object: &mut Object<'_>) {
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
    fn nulled<'p>(&mut self, mut object: Object<'p>, index: usize) -> Object<'p> {
        object.null |= !object.plan.fields[index].nullable;
        self.waiting[object.base + index] = Waiting::Null;
        self.waited(&mut object);
        object
    }

    #[cold]
    #[inline(never)]
    fn violate(&mut self, field: usize, wrong: Wrong) {
        let mut violation = Violation::new(wrong);
        violation.below(field);
        self.violations.push(violation);
    }

    /// The violations from this one on are in the field or the item at this place.
    #[cold]
    fn below(&mut self, from: usize, place: usize) {
        for violation in &mut self.violations[from..] {
            violation.below(place);
        }
    }
}

/// The place in the stored order of a key, by its whole name, from the expected one on.
fn place(order: &[Known], quoted: &[u8], expected: usize) -> Option<usize> {
    let name = &quoted[1..quoted.len() - 1];
    let unescaped: String;
    let name = match memchr::memchr(b'\\', name) {
        None => name,
        Some(_) => {
            unescaped = serde_json::from_slice(quoted).ok()?;
            unescaped.as_bytes()
        }
    };
    let (before, behind) = order.split_at_checked(expected).unwrap_or((order, &[]));
    let at = |keys: &[Known]| keys.iter().position(|known| known.key.as_bytes() == name);
    at(behind)
        .map(|place| before.len() + place)
        .or_else(|| at(before))
}
