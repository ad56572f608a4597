//! The orders in which documents are stored, and the bytes that are expected in them.
//!
//! | stored as | keys are | printed |
//! |---|---|---|
//! | `jsonb` | by their length, then by their bytes | `{"id": 1, "title": "a"}` |
//! | `json` | in the order of the struct | `{"id":1,"title":"a"}` |
//!
//! So where a value ends, the bytes that follow are known: a comma, the next key, a colon. They
//! are compared, always all of them, and what is not as expected is read as JSON of any form.

use crate::schema::{Field, Shape};

/// By which names documents call their fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StoredKeys {
    /// By those that this crate writes, which are the names in the answer: `fullName`.
    #[default]
    Json,
    /// By those that the fields have in Rust: `full_name`. Others write such documents, with
    /// `to_jsonb(row)` or `jsonb_build_object` over the names of columns.
    Rust,
}

impl StoredKeys {
    /// The field's key in such documents.
    pub(super) const fn key(self, field: &Field) -> &'static str {
        match self {
            Self::Json => field.json,
            Self::Rust => field.name,
        }
    }
}

/// How a document is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    Jsonb,
    Json,
}

impl Layout {
    pub(super) const ALL: [Self; 2] = [Self::Jsonb, Self::Json];

    /// The fields of a struct in this order, by their place in the struct.
    pub(super) fn order(self, shape: &'static Shape, keys: StoredKeys) -> Vec<usize> {
        let mut order: Vec<usize> = (0..shape.fields.len()).collect();
        if self == Self::Jsonb {
            order.sort_by_key(|&index| {
                let key = keys.key(&shape.fields[index]);
                (key.len(), key)
            });
        }
        order
    }

    /// What stands between the value before a key, or the beginning of the object, and the
    /// key's own value.
    pub(super) fn before_value(self, key: &str, first: bool) -> Expected {
        let (comma, colon) = match self {
            Self::Jsonb => (", ", ": "),
            Self::Json => (",", ":"),
        };
        let before = if first { "{" } else { comma };
        Expected::new(format!("{before}{}{colon}", quoted(key)).into_bytes())
    }

    /// How this document is printed, judged by the first colon: it follows a key, unless the key
    /// has one itself. A wrong guess costs time only.
    pub(super) fn of(json: &[u8]) -> Self {
        let colon = json.iter().take(80).position(|&byte| byte == b':');
        match colon.and_then(|at| json.get(at + 1)) {
            Some(b' ') => Self::Jsonb,
            _ => Self::Json,
        }
    }
}

/// A name as JSON.
pub(super) fn quoted(name: &str) -> String {
    serde_json::Value::from(name).to_string()
}

/// Bytes that are expected, to be compared in one step where they are sixteen at most.
#[derive(Clone, Debug)]
pub(super) struct Expected {
    /// The first sixteen, those that are missing zero.
    head: u128,
    /// Which bits of them count.
    mask: u128,
    bytes: Box<[u8]>,
}

const HEAD: usize = size_of::<u128>();

impl Expected {
    fn new(bytes: Vec<u8>) -> Self {
        let mut head = [0; HEAD];
        let mut mask = [0; HEAD];
        for (index, &byte) in bytes.iter().take(HEAD).enumerate() {
            (head[index], mask[index]) = (byte, u8::MAX);
        }
        Self {
            head: u128::from_le_bytes(head),
            mask: u128::from_le_bytes(mask),
            bytes: bytes.into_boxed_slice(),
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The place behind them, if they stand at `at`.
    #[inline(always)]
    pub(super) fn end(&self, json: &[u8], at: usize) -> Option<usize> {
        let rest = json.get(at..)?;
        let found = match rest.first_chunk::<HEAD>() {
            Some(head) if (u128::from_le_bytes(*head) ^ self.head) & self.mask != 0 => false,
            Some(_) if self.bytes.len() <= HEAD => true,
            _ => rest.starts_with(&self.bytes),
        };
        found.then_some(at + self.bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::Expected;

    #[test]
    fn bytes_are_compared_all_of_them_and_no_more() {
        for len in 0..40_u8 {
            let bytes: Vec<u8> = (b'a'..).take(usize::from(len)).collect();
            let expected = Expected::new(bytes.clone());
            for behind in 0..20 {
                let mut json = b"{{".to_vec();
                json.extend_from_slice(&bytes);
                json.extend(std::iter::repeat_n(b'!', behind));
                assert_eq!(expected.end(&json, 2), Some(bytes.len() + 2));
                for at in 0..bytes.len() {
                    json[2 + at] ^= 1;
                    assert_eq!(expected.end(&json, 2), None, "{len} {at}");
                    json[2 + at] ^= 1;
                }
            }
            for short in 0..bytes.len() {
                assert_eq!(expected.end(&bytes[..short], 0), None);
            }
            assert_eq!(expected.end(&bytes, bytes.len() + 1), None);
        }
    }
}
