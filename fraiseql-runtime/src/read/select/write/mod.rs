//! The one pass over a document that writes what was selected of it.

mod answer;
mod lookup;
mod nested;
mod run;

use self::answer::{Object, Waiting};
use self::lookup::Next;
use self::run::Run;
use super::bytes::{container_end, space_end, uuid_end, value_end};
use super::compile::{Kind, Plan};
use super::error::ProjectionError;
use super::order::Layout;
use super::violation::{Violation, Wrong, told};

/// So many fields may wait without memory of their own.
const FEW: usize = 32;

/// So many keys are gone through one by one, where no more of an object is wanted.
const FEW_KEYS: usize = 4;

/// Appends what `plan` wants of `document` to `out`. `false`, with nothing appended, where
/// that is null or cannot be read.
pub(super) fn write(
    plan: &Plan,
    document: &[u8],
    out: &mut Vec<u8>,
    errors: &mut Vec<ProjectionError>,
) -> bool {
    match Layout::of(document) {
        layout @ Layout::Json if plan.runs => pass::<true>(plan, document, layout, out, errors),
        layout => pass::<false>(plan, document, layout, out, errors),
    }
}

fn pass<const RUNS: bool>(
    plan: &Plan,
    document: &[u8],
    layout: Layout,
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
    let mut pass = Pass::<RUNS> {
        json: document,
        layout: layout as usize,
        run: Run::EMPTY,
        out,
        aside: &mut Vec::new(),
        waiting,
        violations: Vec::new(),
        fault: None,
    };
    let read = pass.object(plan, space_end(document, 0), 0, true);
    pass.flush();
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

/// `RUNS` is whether anything of this document may stand in the answer as it stands here: where
/// nothing does, nothing is looked at for that.
struct Pass<'d, const RUNS: bool> {
    json: &'d [u8],
    layout: usize,
    /// What is behind `out`, and not appended yet.
    run: Run,
    /// Where is written, and where what comes before its turn is written. An object that comes
    /// before its turn is written with the two exchanged.
    out: &'d mut Vec<u8>,
    aside: &'d mut Vec<u8>,
    waiting: &'d mut [Waiting],
    violations: Vec<Violation>,
    fault: Option<(usize, &'static str)>,
}

impl<const RUNS: bool> Pass<'_, RUNS> {
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
        let (start, start_aside) = (self.mark(), self.aside.len());
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
            let mut key = None;
            let wanted = match predicted {
                Some((known, value)) => {
                    if RUNS && known.same {
                        key = Some(at);
                    }
                    at = match self.json.get(value) {
                        Some(b' ' | b'\n' | b'\r' | b'\t') => {
                            key = None;
                            space_end(self.json, value)
                        }
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
            let end = self.field(&mut object, first, key, at, uuid)?;
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
        self.field(&mut object, field, None, at, false)?;
        Some(object)
    }

    /// Reads a field's value at `at`, and writes it or lets it wait. `key` is as for
    /// [`before`](Self::before). Gives its end.
    #[inline(always)]
    fn field(
        &mut self,
        object: &mut Object<'_>,
        index: usize,
        key: Option<usize>,
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
            Kind::One(plan) if !null => self.nested(object, index, key, at, plan, false),
            Kind::Many(plan) if !null => self.nested(object, index, key, at, plan, true),
            Kind::Elements if !null => {
                let (end, right) = self.elements(index, at)?;
                if right {
                    self.stored(object, index, key, (at, end));
                } else {
                    *object = self.nulled(*object, index);
                }
                Some(end)
            }
            _ => {
                let end = self.value_end(at, uuid)?;
                self.stored(object, index, key, (at, end));
                Some(end)
            }
        }
    }
}
