//! The end of a JSON value, found without parsing the value.
//!
//! All functions take the whole document and an offset into it, and return the offset after the
//! value; `None` if there is no such value, or it does not end. A value is validated only as far as
//! is necessary to find its end.

use super::simd::{Bytes16, Bytes64, WIDTH};

/// The number of sixteen-byte steps after which a string is left to `memchr`, which is slower to
/// start and takes wider steps.
const MAX_SHORT_STEPS: usize = 12;

/// The end of a string whose opening quote is before `at`.
#[inline(always)]
pub(super) fn string_end(json: &[u8], mut at: usize) -> Option<usize> {
    let mut steps = 0;
    while let Some(bytes) = json.get(at..).and_then(|rest| rest.first_chunk::<WIDTH>()) {
        let ends = Bytes16::new(bytes).quotes_or_backslashes();
        if ends == 0 {
            at += WIDTH;
            steps += 1;
            if steps == MAX_SHORT_STEPS {
                return long_string_end(json, at);
            }
            continue;
        }
        at += ends.trailing_zeros() as usize;
        if json.get(at) == Some(&b'"') {
            return Some(at + 1);
        }
        // A backslash: the byte after it cannot end the string.
        at += 2;
    }
    // Fewer than sixteen bytes are left.
    long_string_end(json, at)
}

/// The end of a string from `at` on, without a limit to its length.
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

/// The length of a UUID with its quotes.
const UUID: usize = 38;

/// The end of the string at `at`, if it has the length of a UUID and no escapes.
///
/// Whether it is a UUID is not checked. The end is a constant distance away and not computed from
/// the bytes, so the processor can start on the next key before the comparisons are done.
#[inline(always)]
pub(super) fn uuid_end(json: &[u8], at: usize) -> Option<usize> {
    let chunk = json.get(at..)?.first_chunk::<UUID>()?;
    let ends =
        |from: usize| Some(Bytes16::new(chunk[from..].first_chunk()?).quotes_or_backslashes());
    // 36 bytes in three steps, of which the last two overlap.
    let ends = ends(1)? | ends(1 + WIDTH)? | ends(UUID - 1 - WIDTH)?;
    (chunk[0] == b'"' && ends == 0 && chunk[UUID - 1] == b'"').then_some(at + UUID)
}

/// The end of the value at `at`.
#[inline(always)]
pub(super) fn value_end(json: &[u8], at: usize) -> Option<usize> {
    match json.get(at)? {
        b'"' => string_end(json, at + 1),
        b'{' | b'[' => container_end(json, at + 1),
        _ => atom_end(json, at),
    }
}

/// The end of the number, `true`, `false` or `null` at `at`.
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

/// The end of the object or list whose opening bracket is before `at`. `at` may also be after a
/// value inside of it.
///
/// Counts brackets outside of strings, sixty-four bytes at a time. A byte is inside of a string if
/// the number of quotes before it is odd, which is the running exclusive-or of the mask of quotes.
pub(super) fn container_end(json: &[u8], mut at: usize) -> Option<usize> {
    // The number of open brackets, which is at least 1 until the loop returns.
    let mut depth = 1_u64;
    // All bits are set if the next byte is inside of a string.
    let mut in_string = 0_u64;
    // Whether the next byte is escaped by the last byte of the previous step.
    let mut escaped = false;
    let mut last = [0; 4 * WIDTH];
    while at < json.len() {
        let rest = &json[at..];
        let bytes = Bytes64::new(match rest.first_chunk() {
            Some(chunk) => chunk,
            None => {
                // The end of the document is padded with zeros, which match nothing.
                last[..rest.len()].copy_from_slice(rest);
                &last
            }
        });
        let mut quotes = bytes.quotes();
        let backslashes = bytes.backslashes();
        if backslashes != 0 || escaped {
            quotes &= !escapes(backslashes, &mut escaped);
        }
        let strings = in_string ^ running_xor(quotes);
        // Copies the highest bit, which is the state after the last byte, into all bits.
        in_string = 0_u64.wrapping_sub(strings >> 63);
        let opening = bytes.opening() & !strings;
        let mut closing = bytes.closing() & !strings;
        // With fewer closing brackets than open ones, the container cannot end here, and the
        // order of the brackets does not matter.
        if depth > u64::from(closing.count_ones()) {
            depth += u64::from(opening.count_ones());
            depth -= u64::from(closing.count_ones());
        } else {
            // It ends at the first closing bracket that closes as many as were opened up to it.
            let mut closed = 0;
            while closing != 0 {
                let offset = closing.trailing_zeros();
                let opened = u64::from((opening & ((1 << offset) - 1)).count_ones());
                closed += 1;
                if depth + opened == closed {
                    return Some(at + offset as usize + 1);
                }
                // Clears the lowest bit.
                closing &= closing - 1;
            }
            depth = depth + u64::from(opening.count_ones()) - closed;
        }
        at += 4 * WIDTH;
    }
    None
}

/// The mask of bytes that are escaped: those after a backslash that is not escaped itself. `carry`
/// is whether the first byte is escaped, and becomes whether the byte after the last one is.
#[cold]
fn escapes(mut backslashes: u64, carry: &mut bool) -> u64 {
    let mut escaped = u64::from(*carry);
    backslashes &= !escaped;
    *carry = false;
    while backslashes != 0 {
        let offset = backslashes.trailing_zeros();
        backslashes &= backslashes - 1;
        if offset == 63 {
            *carry = true;
        } else {
            let next = 2 << offset;
            escaped |= next;
            // An escaped backslash escapes nothing.
            backslashes &= !next;
        }
    }
    escaped
}

/// Sets each bit to the exclusive-or of itself and all lower ones.
#[inline(always)]
fn running_xor(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

/// The offset of the first byte, from `at` on, that is not white space.
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

    /// A simple implementation, byte by byte.
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
    fn strings_and_containers_end_correctly_at_any_length_and_offset() {
        let pieces = [r#"\""#, r"\\", "é", "{", "]", "}", ",", "word ", r"\\\"];
        for count in 0..200_usize {
            for first in 0..pieces.len() {
                let text: String = (0..count)
                    .map(|at| pieces[(first + at * (at + 3)) % pieces.len()])
                    .collect();
                // After an odd number of backslashes a quote does not end the string.
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
    fn only_a_string_of_the_length_of_a_uuid_has_an_end() {
        let uuid = "\"01234567-89ab-cdef-0123-456789abcdef\"";
        for suffix in ["", ",", "\"", "a longer text after it"] {
            let json = format!("{uuid}{suffix}");
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
    fn an_incomplete_value_has_no_end() {
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
