//! The order of keys in stored documents, and the bytes that are expected before each value.
//!
//! | type | order of keys | text |
//! |---|---|---|
//! | `jsonb` | by length, then by bytes | `{"id": 1, "title": "a"}` |
//! | `json` | that of the struct | `{"id":1,"title":"a"}` |
//!
//! So after a value, the next bytes are usually known: a comma, the next key, a colon. All of them
//! are compared. If they differ, the document is read as JSON in any layout.

use crate::schema::{Field, Shape};

/// Which names of fields are the keys of the documents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StoredKeys {
    /// The names in JSON, which fraiseql-runtime writes, and which the output has: `fullName`.
    #[default]
    Json,
    /// The names in Rust: `full_name`. Documents have them if other programs write them, with
    /// `to_jsonb(row)` or `jsonb_build_object` and the names of columns.
    Rust,
}

impl StoredKeys {
    /// The key of a field.
    pub(super) const fn key(self, field: &Field) -> &'static str {
        match self {
            Self::Json => field.json,
            Self::Rust => field.name,
        }
    }
}

/// How PostgreSQL prints a document, which depends on the type of its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    Jsonb,
    Json,
}

impl Layout {
    pub(super) const ALL: [Self; 2] = [Self::Jsonb, Self::Json];

    /// The fields of a struct, by index, in the order in which documents store them.
    pub(super) fn order(self, shape: &'static Shape, keys: StoredKeys) -> Vec<usize> {
        let mut order: Vec<usize> = (0..shape.fields.len())
            .filter(|&index| !shape.fields[index].is_hidden())
            .collect();
        if self == Self::Jsonb {
            order.sort_by_key(|&index| {
                let key = keys.key(&shape.fields[index]);
                (key.len(), key)
            });
        }
        order
    }

    /// The bytes between the previous value, or the start of the object, and the value of a key.
    pub(super) fn value_prefix(self, key: &str, first: bool) -> ExpectedBytes {
        let (comma, colon) = match self {
            Self::Jsonb => (", ", ": "),
            Self::Json => (",", ":"),
        };
        let start = if first { "{" } else { comma };
        let mut bytes = Vec::with_capacity(start.len() + key.len() + 2 + colon.len());
        bytes.extend_from_slice(start.as_bytes());
        push_quoted(&mut bytes, key);
        bytes.extend_from_slice(colon.as_bytes());
        ExpectedBytes::new(bytes)
    }

    /// The layout of a document, guessed from the byte after its first colon, which usually ends
    /// the first key. A wrong guess only costs time: each key is then looked up.
    pub(super) fn of(json: &[u8]) -> Self {
        let colon = json.iter().take(80).position(|&byte| byte == b':');
        match colon.and_then(|at| json.get(at + 1)) {
            Some(b' ') => Self::Jsonb,
            _ => Self::Json,
        }
    }
}

/// Appends a name as a JSON string. Names rarely have characters to escape, and a selection is compiled for each
/// request that is not cached.
pub(super) fn push_quoted(out: &mut Vec<u8>, name: &str) {
    let is_plain = |byte: u8| byte >= b' ' && byte != b'"' && byte != b'\\';
    if name.bytes().all(is_plain) {
        out.push(b'"');
        out.extend_from_slice(name.as_bytes());
        out.push(b'"');
    } else {
        out.extend_from_slice(serde_json::Value::from(name).to_string().as_bytes());
    }
}

/// Expected bytes, which are compared in one step if there are at most sixteen.
#[derive(Clone, Debug)]
pub(super) struct ExpectedBytes {
    /// The first sixteen bytes, padded with zeros.
    head: u128,
    /// The bits of `head` that are not padding.
    mask: u128,
    bytes: Box<[u8]>,
}

const HEAD: usize = size_of::<u128>();

impl ExpectedBytes {
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

    /// The offset after the bytes, if the document has them at `at`.
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
    use super::{ExpectedBytes, push_quoted};

    #[test]
    fn names_are_quoted_as_json() {
        for name in [
            "", "fullName", "größe", "a\"b", "a\\b", "a\nb", "\u{1}", "\u{7f}",
        ] {
            let mut out = b"{".to_vec();
            push_quoted(&mut out, name);
            let json = serde_json::to_string(name).unwrap();
            assert_eq!(out, [b"{", json.as_bytes()].concat());
        }
    }

    #[test]
    fn exactly_the_expected_bytes_are_compared() {
        for len in 0..40_u8 {
            let bytes: Vec<u8> = (b'a'..).take(usize::from(len)).collect();
            let expected = ExpectedBytes::new(bytes.clone());
            for suffix in 0..20 {
                let mut json = b"{{".to_vec();
                json.extend_from_slice(&bytes);
                json.extend(std::iter::repeat_n(b'!', suffix));
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
