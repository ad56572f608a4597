//! Reading the keys of an object, and writing the selected ones.

use super::field_state::{FieldState, ObjectState};
use super::keys::FoundKey;
use super::writer::ProjectionWriter;
use crate::read::select::plan::{Plan, ValuePlan};
use crate::read::select::scan::{container_end, space_end};
use crate::read::select::violation::Mismatch;

/// After the last selected key of an object, this many keys are still read one by one; more are
/// skipped by a search for the end of the object.
const MAX_KEYS_TO_READ: usize = 4;

impl<const COALESCE: bool> ProjectionWriter<'_, COALESCE> {
    /// Writes the object at `at`, with the states from `first_state` on. Returns its end, and
    /// whether it is written: `false` if it is null instead.
    ///
    /// The end of the root object is not searched for: after its last selected key, the offset that
    /// is returned for it is inside of it.
    pub(super) fn object(
        &mut self,
        plan: &Plan,
        at: usize,
        first_state: usize,
        is_root: bool,
    ) -> Option<(usize, bool)> {
        let (start, side_start) = (self.mark(), self.side.len());
        let mut object = ObjectState {
            plan,
            written: 0,
            first_state,
            is_null: false,
        };
        // Objects of a list use the same states, one after the other.
        self.states[first_state..first_state + plan.fields.len()].fill(FieldState::Unread);
        let keys = &plan.keys[self.layout];
        let mut missing = plan.selected_keys;
        // The index of the key that is expected next, in the stored order.
        let mut expected = 0;
        let mut at = at;
        if matches!(plan.fields[0].value, ValuePlan::TypeName) {
            // Its turn is now, and no key will cause it to be written.
            self.write_deferred(&mut object);
        }
        if missing == 0 && is_root {
            return match self.json.get(at) {
                Some(b'{') => Some(self.end_object(&object, at, start, side_start)),
                _ => self.expected(at, "an object"),
            };
        }
        // Each round reads one key and its value, or the end of the object, so `at` increases.
        loop {
            let known = keys.get(expected);
            let predicted = known.and_then(|known| Some((known, known.prefix.end(self.json, at)?)));
            // Where the document has the prefix of the field, if it has the same bytes.
            let mut prefix = None;
            let mut is_uuid = false;
            let selected = match predicted {
                Some((known, value)) => {
                    if COALESCE && known.same_prefix {
                        prefix = Some(at);
                    }
                    at = match self.json.get(value) {
                        // The output has no white space, so the prefix and the value are no
                        // longer one range.
                        Some(b' ' | b'\n' | b'\r' | b'\t') => {
                            prefix = None;
                            space_end(self.json, value)
                        }
                        _ => value,
                    };
                    expected += 1;
                    is_uuid = known.is_uuid;
                    known.field
                }
                None if expected == keys.len() && self.json.get(at) == Some(&b'}') => {
                    at += 1;
                    self.write_absent(&mut object);
                    break;
                }
                None => match self.look_up(keys, at, expected)? {
                    FoundKey::End(end) => {
                        at = end;
                        self.write_absent(&mut object);
                        break;
                    }
                    FoundKey::Value { at: value, index } => {
                        at = value;
                        // The expected key may still follow a key that is not of the struct.
                        expected = index.map_or(expected, |index| index + 1);
                        index.and_then(|index| keys[index].field)
                    }
                },
            };
            // After the first key, the brace that opens the object is not expected any more.
            expected = expected.max(1);
            // Of two equal keys in the document, the first one counts.
            let first = match selected {
                Some(field) if object.is_unread(self.states, field) => field,
                _ => {
                    at = self.value_end(at, is_uuid)?;
                    continue;
                }
            };
            let end = self.field(&mut object, first, prefix, at, is_uuid)?;
            // Further aliases of the field read the same value again: their selections differ.
            let mut next = plan.fields[first].next_of_key;
            while let Some(field) = next {
                object = self.further_alias(object, field, at)?;
                next = plan.fields[field].next_of_key;
            }
            at = end;
            missing -= 1;
            if missing == 0 {
                if is_root {
                    break;
                }
                // Without further selected keys, only the end of the object matters.
                if keys.len() - expected > MAX_KEYS_TO_READ {
                    match container_end(self.json, at) {
                        None => return self.expected(at, "the end of the object"),
                        Some(end) => at = end,
                    }
                    break;
                }
            }
        }
        // A stop inside of this object must not be taken for its end.
        if self.is_full() {
            return None;
        }
        Some(self.end_object(&object, at, start, side_start))
    }

    /// As [`field`](Self::field), for further aliases. Not inlined, because they are rare.
    #[inline(never)]
    fn further_alias<'p>(
        &mut self,
        mut object: ObjectState<'p>,
        index: usize,
        at: usize,
    ) -> Option<ObjectState<'p>> {
        self.field(&mut object, index, None, at, false)?;
        (!self.is_full()).then_some(object)
    }

    /// Reads the value of a field at `at`, and writes or defers it. `prefix` is as for
    /// [`prefix`](Self::prefix). Returns the end of the value.
    #[inline(always)]
    fn field(
        &mut self,
        object: &mut ObjectState<'_>,
        index: usize,
        prefix: Option<usize>,
        at: usize,
        is_uuid: bool,
    ) -> Option<usize> {
        let field = &object.plan.fields[index];
        // No other JSON value starts with an `n`.
        let is_null = self.json.get(at) == Some(&b'n');
        if is_null && !field.nullable {
            self.violation(index, Mismatch::Null);
            object.is_null = true;
        }
        match &field.value {
            ValuePlan::Object(plan) if !is_null => {
                self.nested(object, index, prefix, at, plan, false)
            }
            ValuePlan::List(plan) if !is_null => self.nested(object, index, prefix, at, plan, true),
            ValuePlan::NonNullElements if !is_null => {
                let (end, valid) = self.non_null_elements(index, at)?;
                if valid {
                    self.range(object, index, prefix, (at, end));
                } else {
                    *object = self.set_null(*object, index);
                }
                Some(end)
            }
            _ => {
                let end = self.value_end(at, is_uuid)?;
                self.range(object, index, prefix, (at, end));
                Some(end)
            }
        }
    }
}
