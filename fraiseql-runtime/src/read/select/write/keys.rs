//! Reading the next key of an object: the expected one by a comparison of bytes, any other by its
//! name.
//!
//! Other keys are those of other programs or releases, in another order, with other white space, or
//! escaped.

use super::writer::ProjectionWriter;
use crate::read::select::plan::PlannedKey;
use crate::read::select::scan::{space_end, string_end};

/// What was found where the expected key is not.
pub(super) enum FoundKey {
    /// The end of the object.
    End(usize),
    /// A key, and the offset of its value.
    Value {
        at: usize,
        /// The index of the key in the stored order; `None` if it is not a key of the struct.
        index: Option<usize>,
    },
}

impl<const COALESCE: bool> ProjectionWriter<'_, COALESCE> {
    /// Reads the key after `at`, in any layout. `expected` is the index of the expected key; 0 before
    /// the opening brace, which belongs to the prefix of the first key. The common case, in which the
    /// next bytes are those of the expected key, is in [`object`](Self::object): there the result
    /// stays in registers.
    #[inline(never)]
    pub(super) fn look_up(
        &mut self,
        keys: &[PlannedKey],
        at: usize,
        expected: usize,
    ) -> Option<FoundKey> {
        let json = self.json;
        let mut at = space_end(json, at);
        let first = expected == 0;
        match json.get(at) {
            Some(b'{') if first => {
                at = space_end(json, at + 1);
                if json.get(at) == Some(&b'}') {
                    return Some(FoundKey::End(at + 1));
                }
            }
            _ if first => return self.expected(at, "an object"),
            Some(b'}') => return Some(FoundKey::End(at + 1)),
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
        Some(FoundKey::Value {
            at: space_end(json, colon + 1),
            index: index_of(keys, quoted, expected),
        })
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
