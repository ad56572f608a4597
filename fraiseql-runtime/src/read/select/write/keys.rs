//! Reading the next key of an object: the expected one by a comparison of bytes, any other by its
//! name.
//!
//! Other keys are those of other programs or releases, in another order, with other white space, or
//! escaped.

use super::writer::ProjectionWriter;
use crate::read::select::plan::{Plan, PlannedKey};
use crate::read::select::scan::{space_end, string_end};

/// What follows a value, or the start of an object.
pub(super) enum NextEntry {
    /// The object ends, and this is the offset after it.
    End(usize),
    /// A key and its value.
    Value(Entry),
}

/// A key that has been read, and its value.
pub(super) struct Entry {
    /// The offset of the value.
    pub(super) value: usize,
    /// The index, in the stored order, of the key that is expected after the value.
    pub(super) next_expected: usize,
    /// The first field of the output that is made of the value; `None` if it is not selected.
    pub(super) field: Option<usize>,
    /// Where the document has the prefix of that field, if it has the same bytes.
    pub(super) prefix: Option<usize>,
    /// Whether the value should be a UUID.
    pub(super) is_uuid: bool,
}

impl<const COALESCE: bool> ProjectionWriter<'_, COALESCE> {
    /// Reads the key after `at`. `expected` is the index of the expected key; 0 before the opening
    /// brace, which belongs to the prefix of the first key.
    #[inline(always)]
    pub(super) fn next_entry(
        &mut self,
        plan: &Plan,
        at: usize,
        expected: usize,
    ) -> Option<NextEntry> {
        let keys = &plan.keys[self.layout];
        let known = keys.get(expected);
        let predicted = known.and_then(|known| Some((known, known.prefix.end(self.json, at)?)));
        match predicted {
            Some((known, value)) => {
                let same_prefix = COALESCE && known.same_prefix;
                let (value, prefix) = match self.json.get(value) {
                    // The output has no white space, so the prefix and the value are no longer
                    // one range.
                    Some(b' ' | b'\n' | b'\r' | b'\t') => (space_end(self.json, value), None),
                    _ => (value, same_prefix.then_some(at)),
                };
                Some(NextEntry::Value(Entry {
                    value,
                    next_expected: expected + 1,
                    field: known.field,
                    prefix,
                    is_uuid: known.is_uuid,
                }))
            }
            None if expected == keys.len() && self.json.get(at) == Some(&b'}') => {
                Some(NextEntry::End(at + 1))
            }
            None => self.look_up(keys, at, expected),
        }
    }

    /// As [`next_entry`](Self::next_entry), in any layout.
    #[inline(never)]
    fn look_up(&mut self, keys: &[PlannedKey], at: usize, expected: usize) -> Option<NextEntry> {
        let json = self.json;
        let mut at = space_end(json, at);
        let first = expected == 0;
        match json.get(at) {
            Some(b'{') if first => {
                at = space_end(json, at + 1);
                if json.get(at) == Some(&b'}') {
                    return Some(NextEntry::End(at + 1));
                }
            }
            _ if first => return self.expected(at, "an object"),
            Some(b'}') => return Some(NextEntry::End(at + 1)),
            Some(b',') => at = space_end(json, at + 1),
            _ => return self.expected(at, "a comma or the end of the object"),
        }
        if json.get(at) != Some(&b'"') {
            return self.expected(at, "a key");
        }
        let Some(end) = string_end(json, at + 1) else {
            return self.expected(at, "a key");
        };
        let quoted = &json[at..end];
        let colon = space_end(json, end);
        if json.get(colon) != Some(&b':') {
            return self.expected(colon, "a colon");
        }
        let index = index_of(keys, quoted, expected);
        Some(NextEntry::Value(Entry {
            value: space_end(json, colon + 1),
            // The expected key may still follow a key that is not of the struct. It is not the
            // first one any more: the opening brace has been read.
            next_expected: index.map_or(expected.max(1), |index| index + 1),
            field: index.and_then(|index| keys[index].field),
            prefix: None,
            is_uuid: false,
        }))
    }
}

/// The index of a key in the stored order. The search starts at the expected key: usually, some
/// keys are missing before this one.
fn index_of(keys: &[PlannedKey], quoted: &[u8], expected: usize) -> Option<usize> {
    let name = &quoted[1..quoted.len() - 1];
    let unescaped: String;
    let name = match memchr::memchr(b'\\', name) {
        None => name,
        Some(_) => {
            unescaped = serde_json::from_slice(quoted).ok()?;
            unescaped.as_bytes()
        }
    };
    let (before, after) = keys.split_at_checked(expected).unwrap_or((keys, &[]));
    let position = |keys: &[PlannedKey]| keys.iter().position(|key| key.key.as_bytes() == name);
    position(after)
        .map(|position| before.len() + position)
        .or_else(|| position(before))
}
