//! Keys that are not where they were expected: others' keys, other orders, other forms of JSON.

use super::super::bytes::{space_end, string_end};
use super::super::compile::{Known, Plan};
use super::Pass;

/// What stands where a key was not as expected.
pub(super) enum Next {
    /// The object has ended.
    End(usize),
    /// The value of a key.
    Value {
        at: usize,
        /// The key's place in the stored order, if it is known.
        known: Option<usize>,
    },
}

impl<const RUNS: bool> Pass<'_, RUNS> {
    /// Reads a key in any form of JSON.
    #[inline(never)]
    pub(super) fn look_up(&mut self, plan: &Plan, at: usize, expected: usize) -> Option<Next> {
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
