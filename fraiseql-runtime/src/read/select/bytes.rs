//! Finding the end of a JSON value, without reading what is in it.
//!
//! All functions take the whole document and a place in it, and give the place behind what
//! they were asked for, or `None` where it does not end or does not begin. What they pass over
//! is checked only as far as they need to know its end.

use super::block::{BLOCK, Block, Blocks};

/// So many blocks of a string are looked at here; what is longer is `memchr`'s, which takes
/// wider steps once it has begun.
const SHORT: usize = 12;

/// The end of a string, whose opening quote is before `at`.
#[inline(always)]
pub(super) fn string_end(json: &[u8], mut at: usize) -> Option<usize> {
    let mut blocks = 0;
    while let Some(block) = json.get(at..).and_then(|rest| rest.first_chunk::<BLOCK>()) {
        let ends = Block::new(block).ends();
        if ends == 0 {
            at += BLOCK;
            blocks += 1;
            if blocks == SHORT {
                return long_string_end(json, at);
            }
            continue;
        }
        at += ends.trailing_zeros() as usize;
        if json.get(at) == Some(&b'"') {
            return Some(at + 1);
        }
        at += 2;
    }
    long_string_end(json, at)
}

#[inline(never)]
fn long_string_end(json: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr::memchr2(b'"', b'\\', json.get(at..)?)?;
        if json.get(at) == Some(&b'"') {
            return Some(at + 1);
        }
        at += 2;
    }
}

/// How long a UUID is, with its quotes.
const UUID: usize = 38;

/// The end of a value that begins at `at` and is a string of the length of a UUID. Nothing else
/// is found out about it, and any other value has no end here: where the next key stands does
/// not depend on what is read, and the processor goes on there at once.
#[inline(always)]
pub(super) fn uuid_end(json: &[u8], at: usize) -> Option<usize> {
    let chunk = json.get(at..)?.first_chunk::<UUID>()?;
    let block = |from: usize| Some(Block::new(chunk[from..].first_chunk()?).ends());
    // The last two overlap.
    let ends = block(1)? | block(1 + BLOCK)? | block(UUID - 1 - BLOCK)?;
    (chunk[0] == b'"' && ends == 0 && chunk[UUID - 1] == b'"').then_some(at + UUID)
}

/// The end of a value that begins at `at`.
#[inline(always)]
pub(super) fn value_end(json: &[u8], at: usize) -> Option<usize> {
    match json.get(at)? {
        b'"' => string_end(json, at + 1),
        b'{' | b'[' => container_end(json, at + 1),
        _ => atom_end(json, at),
    }
}

/// The end of a number, `true`, `false` or `null`.
#[inline]
fn atom_end(json: &[u8], at: usize) -> Option<usize> {
    let rest = json.get(at..)?;
    let word: &[u8] = match rest.first()? {
        b'-' | b'0'..=b'9' => {
            let part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'.' | b'+' | b'-' | b'e' | b'E');
            let len = rest.iter().position(|byte| !part(byte));
            return Some(at + len.unwrap_or(rest.len()));
        }
        b't' => b"true",
        b'f' => b"false",
        b'n' => b"null",
        _ => return None,
    };
    rest.starts_with(word).then_some(at + word.len())
}

/// The end of an object or a list, whose opening bracket is before `at`, or of what is left of
/// one behind a value in it.
///
/// Brackets outside of strings are counted, sixty-four bytes at a time. Strings are the bytes
/// behind an odd number of quotes, which is a running exclusive-or over the mask of quotes.
pub(super) fn container_end(json: &[u8], mut at: usize) -> Option<usize> {
    let mut depth = 1_u64;
    let mut in_string = 0_u64;
    let mut escaped = false;
    let mut last = [0; 4 * BLOCK];
    while at < json.len() {
        let rest = &json[at..];
        let blocks = Blocks::new(match rest.first_chunk() {
            Some(chunk) => chunk,
            None => {
                last[..rest.len()].copy_from_slice(rest);
                &last
            }
        });
        let mut quotes = blocks.quotes();
        let backslashes = blocks.backslashes();
        if backslashes != 0 || escaped {
            quotes &= !escapes(backslashes, &mut escaped);
        }
        let strings = in_string ^ running_xor(quotes);
        in_string = 0_u64.wrapping_sub(strings >> 63);
        let opening = blocks.opening() & !strings;
        let mut closing = blocks.closing() & !strings;
        if depth > u64::from(closing.count_ones()) {
            depth += u64::from(opening.count_ones());
            depth -= u64::from(closing.count_ones());
        } else {
            // It may end here: at the closing bracket before which as many were opened.
            let mut closed = 0;
            while closing != 0 {
                let place = closing.trailing_zeros();
                let opened = u64::from((opening & ((1 << place) - 1)).count_ones());
                closed += 1;
                if depth + opened == closed {
                    return Some(at + place as usize + 1);
                }
                closing &= closing - 1;
            }
            depth = depth + u64::from(opening.count_ones()) - closed;
        }
        at += 4 * BLOCK;
    }
    None
}

/// What stands behind a backslash that is not itself behind one. `carry` says whether the
/// first byte does, and then whether the byte after the last does.
#[cold]
fn escapes(mut backslashes: u64, carry: &mut bool) -> u64 {
    let mut escaped = u64::from(*carry);
    backslashes &= !escaped;
    *carry = false;
    while backslashes != 0 {
        let place = backslashes.trailing_zeros();
        backslashes &= backslashes - 1;
        if place == 63 {
            *carry = true;
        } else {
            let next = 2 << place;
            escaped |= next;
            backslashes &= !next;
        }
    }
    escaped
}

/// Each bit the exclusive-or of itself and all lower ones.
#[inline(always)]
fn running_xor(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

/// The place of the first byte that is not white space.
#[inline]
pub(super) fn space_end(json: &[u8], mut at: usize) -> usize {
    while matches!(json.get(at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::{UUID, container_end, string_end, uuid_end, value_end};

    /// Byte by byte, as one would do it.
    fn expected(json: &[u8], mut at: usize, mut depth: i32, mut in_string: bool) -> Option<usize> {
        loop {
            match (json.get(at)?, in_string) {
                (b'\\', true) => at += 1,
                (b'"', true) if depth == 0 => return Some(at + 1),
                (b'"', _) => in_string = !in_string,
                (b'{' | b'[', false) => depth += 1,
                (b'}' | b']', false) => {
                    depth -= 1;
                    if depth == 0 {
                        return Some(at + 1);
                    }
                }
                _ => {}
            }
            at += 1;
        }
    }

    #[test]
    fn strings_and_containers_end_where_they_end_at_any_length_and_place() {
        let pieces = [r#"\""#, r"\\", "é", "{", "]", "}", ",", "word ", r"\\\"];
        for count in 0..200_usize {
            for first in 0..pieces.len() {
                let text: String = (0..count)
                    .map(|at| pieces[(first + at * (at + 3)) % pieces.len()])
                    .collect();
                // An odd number of backslashes before the quote: the string goes on.
                let json = format!("{text}\",\"{text}{text}\": [{{}}, \"{text}\\\\\"]}} {text}\"");
                let bytes = json.as_bytes();
                assert_eq!(string_end(bytes, 0), expected(bytes, 0, 0, true), "{json}");
                let json = format!("[{{\"{text}\\\"\":\"\\\\{text} \"}},[[\"{text} \"]]]{text}");
                let bytes = json.as_bytes();
                assert_eq!(container_end(bytes, 1), expected(bytes, 0, 0, false));
            }
        }
    }

    #[test]
    fn a_uuid_ends_where_the_string_ends_or_is_none() {
        let uuid = "\"01234567-89ab-cdef-0123-456789abcdef\"";
        for behind in ["", ",", "\"", "a longer text behind it"] {
            let json = format!("{uuid}{behind}");
            assert_eq!(uuid_end(json.as_bytes(), 0), Some(UUID));
            for at in 0..UUID {
                for byte in [b'"', b'\\'] {
                    let mut json = json.clone().into_bytes();
                    let same = std::mem::replace(&mut json[at], byte) == byte;
                    assert_eq!(uuid_end(&json, 0), same.then_some(UUID), "{at}");
                }
            }
            assert_eq!(uuid_end(json.as_bytes(), 1), None);
            assert_eq!(uuid_end(&json.as_bytes()[..UUID - 1], 0), None);
        }
    }

    #[test]
    fn what_does_not_end_has_no_end() {
        for json in [
            "", "\"", "\"a", "\"a\\", "\"a\\\"", "[", "[[]", "{\"]}", "nul", "x", ",",
        ] {
            assert_eq!(value_end(json.as_bytes(), 0), None, "{json}");
            let json = format!("{json}{}", if json.len() > 1 { "  " } else { "" });
            assert_eq!(value_end(json.as_bytes(), 0), None, "{json}");
        }
        assert_eq!(value_end(b"true", 0), Some(4));
        assert_eq!(value_end(b"-1.5e+10,", 0), Some(8));
        assert_eq!(value_end(b"12", 0), Some(2));
        assert_eq!(value_end(b"12", 7), None);
    }
}
