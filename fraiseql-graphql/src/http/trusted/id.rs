//! Identifiers of documents, with the syntax of the specification.

use sha2::{Digest as _, Sha256};

/// The maximum length of an identifier. The longest one that the specification defines has 71 bytes.
const MAX_ID_BYTES: usize = 256;

/// What an identifier that is made of a hash begins with.
const SHA256: &str = "sha256:";

/// The SHA-256 of a text, as 64 hexadecimal digits in lower case.
pub(in crate::http) fn sha256_hex(text: &str) -> String {
    format!("{:x}", Sha256::digest(text))
}

/// The identifier of a hash.
pub(super) fn of_hash(hash: &str) -> String {
    format!("{SHA256}{hash}")
}

/// The hash that an identifier claims its document to have.
pub(super) fn claimed_hash(id: &str) -> Option<&str> {
    id.strip_prefix(SHA256)
}

/// Checks the syntax of an identifier. The error says what is wrong, without the identifier.
pub(in crate::http) fn check(id: &str) -> Result<(), String> {
    if id.is_empty() || id.len() > MAX_ID_BYTES {
        return Err(format!("an identifier has 1 to {MAX_ID_BYTES} bytes"));
    }
    let (prefix, payload) = match id.split_once(':') {
        None => (None, id),
        Some((prefix, payload)) => (Some(prefix), payload),
    };
    match prefix {
        Some("sha256") => {
            let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
            let is_hash = payload.len() == 64 && payload.bytes().all(is_digit);
            is_hash.then_some(()).ok_or_else(|| {
                "`sha256:` is followed by 64 hexadecimal digits in lower case".to_owned()
            })
        }
        Some(prefix) if prefix.strip_prefix("x-").is_none_or(str::is_empty) => Err(
            "the prefix of an identifier is `sha256:`, or begins with `x-`; others are reserved"
                .to_owned(),
        ),
        prefix => {
            let is_allowed = |byte: u8| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
            };
            let mut bytes = prefix.unwrap_or_default().bytes().chain(payload.bytes());
            (!payload.is_empty() && bytes.all(is_allowed))
                .then_some(())
                .ok_or_else(|| {
                    "an identifier consists of letters, digits, `-`, `.`, `_` and `~`".to_owned()
                })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_specification_have_their_identifiers() {
        let text = "query ($id: ID!) {\n  user(id: $id) {\n    name\n  }\n}";
        let hash = "7dba4bd717b41f10434822356a93c32b1fb4907b983e854300ad839f84cdcd6e";
        assert_eq!(sha256_hex(text), hash);
        let text = "query($id:ID!){user(id:$id){name}}";
        let hash = "71f7dc5758652baac68e4a10c50be732b741c892ade2883a99358f52b555286b";
        assert_eq!(of_hash(&sha256_hex(text)), format!("sha256:{hash}"));
        assert_eq!(claimed_hash(&format!("sha256:{hash}")), Some(hash));
    }

    #[test]
    fn identifiers_have_the_syntax_of_the_specification() {
        let hash = "0123456789abcdef".repeat(4);
        for id in [
            &*format!("sha256:{hash}"),
            &*hash,
            "a",
            "x-app:GetPost",
            "x-a.b_c~d:1-2",
            "web~1.2.0~GetPost",
            &*"a".repeat(MAX_ID_BYTES),
        ] {
            assert_eq!(check(id), Ok(()), "{id}");
        }
        for (id, what) in [
            ("", "1 to 256 bytes"),
            (&*"a".repeat(MAX_ID_BYTES + 1), "1 to 256 bytes"),
            ("sha256:", "64 hexadecimal digits"),
            (&*format!("sha256:{}", &hash[1..]), "64 hexadecimal digits"),
            (&*format!("sha256:{}", hash.to_uppercase()), "lower case"),
            ("md5:0123", "reserved"),
            ("x-:a", "reserved"),
            ("x:a", "reserved"),
            (":a", "reserved"),
            ("x-a:", "letters"),
            ("x-a:b:c", "letters"),
            ("a b", "letters"),
            ("a/b", "letters"),
            ("é", "letters"),
        ] {
            let error = check(id).unwrap_err();
            assert!(error.contains(what), "{id}: {error}");
        }
    }
}
