//! `numeric` in the binary format.
//!
//! A header of four 16-bit integers (number of digits, weight, sign, scale) is followed by digits
//! in base 10,000. The weight is the exponent of the first digit, in base 10,000; the scale is the
//! number of decimal places to display. Zeros at either end are not stored.

/// The maximum length of a number in a filter, and of the same number without an exponent.
pub(super) const MAX_DIGITS: usize = 1_000;
/// The maximum number of digits, in base 10,000, in a cursor: those of the longest value that a
/// document can have, and a margin.
const MAX_CURSOR_DIGITS: u16 = 64;
/// Decimal places of one digit in base 10,000.
const GROUP: usize = 4;
/// The sign of a negative number. That of a positive one is zero.
const NEGATIVE: u16 = 0x4000;

/// Encodes a decimal number such as `-12.5e-3`. `None` if it is not a number, or too long.
pub(super) fn encode(text: &str) -> Option<Vec<u8>> {
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if text.len() > MAX_DIGITS {
        return None;
    }
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i16>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [whole, fraction].concat();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // The position of the decimal point in `digits`. The exponent may move it past either end.
    let point = i64::try_from(whole.len()).ok()? + i64::from(exponent);
    let len = i64::try_from(digits.len()).ok()?;
    let missing_left = usize::try_from(-point).unwrap_or(0);
    let missing_right = usize::try_from(point - len).unwrap_or(0);
    let scale = usize::try_from(len - point).unwrap_or(0);
    let point = usize::try_from(point).unwrap_or(0);
    if point + scale > MAX_DIGITS {
        return None;
    }
    // Zeros fill the digits up to the point, and then to whole groups on either side of it.
    let left = missing_left + point.next_multiple_of(GROUP) - point;
    let right = missing_right + scale.next_multiple_of(GROUP) - scale;
    let padded = ["0".repeat(left), digits, "0".repeat(right)].concat();
    let groups: Vec<u16> = padded
        .as_bytes()
        .chunks(GROUP)
        .map(|group| {
            let value = |sum, digit: &u8| sum * 10 + u16::from(digit - b'0');
            group.iter().fold(0, value)
        })
        .collect();
    let leading = groups.iter().take_while(|group| **group == 0).count();
    let trailing = groups.iter().rev().take_while(|group| **group == 0);
    let stored = groups
        .get(leading..groups.len() - trailing.count())
        .unwrap_or_default();
    // Zero is stored without digits, and then has neither a sign nor a weight.
    let (weight, sign) = match stored {
        [] => (0, 0),
        _ => (
            i16::try_from(point.div_ceil(GROUP)).ok()? - i16::try_from(leading).ok()? - 1,
            if negative { NEGATIVE } else { 0 },
        ),
    };
    let header = [
        u16::try_from(stored.len()).ok()?,
        weight.cast_unsigned(),
        sign,
        u16::try_from(scale).ok()?,
    ];
    let words = header.iter().chain(stored);
    Some(words.flat_map(|word| word.to_be_bytes()).collect())
}

/// Whether the bytes of a cursor are the encoding of a number that a document can have.
pub(super) fn is_valid(bytes: &[u8]) -> bool {
    let (words, []) = bytes.as_chunks() else {
        return false;
    };
    let words: Vec<u16> = words.iter().map(|word| u16::from_be_bytes(*word)).collect();
    let [count, weight, sign, scale, ref digits @ ..] = words[..] else {
        return false;
    };
    usize::from(count) == digits.len()
        && count <= MAX_CURSOR_DIGITS
        && weight.cast_signed().unsigned_abs() <= MAX_CURSOR_DIGITS
        && matches!(sign, 0 | NEGATIVE)
        && usize::from(scale) <= usize::from(MAX_CURSOR_DIGITS) * GROUP
        && digits.iter().all(|digit| *digit < 10_000)
}

#[cfg(test)]
mod tests {
    use super::{MAX_DIGITS, encode, is_valid};

    #[test]
    fn numbers_are_encoded_as_numeric_send_encodes_them() {
        for (text, expected) in SENT {
            let bytes = encode(text).unwrap_or_default();
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(hex, *expected, "{text}");
            assert!(is_valid(&bytes), "{text}");
        }
    }

    /// `encode(numeric_send(..), 'hex')` of PostgreSQL 15.
    const SENT: &[(&str, &str)] = &[
        ("0", "0000000000000000"),
        ("0.00", "0000000000000002"),
        ("-0.0", "0000000000000001"),
        ("1", "00010000000000000001"),
        ("-1", "00010000400000000001"),
        ("+7", "00010000000000000007"),
        ("9999", "0001000000000000270f"),
        ("10000", "00010001000000000001"),
        ("10001", "000200010000000000010001"),
        ("19.9", "000200000000000100132328"),
        ("19.90", "000200000000000200132328"),
        ("00012.500", "0002000000000003000c1388"),
        ("0.0001", "0001ffff000000040001"),
        ("0.00012", "0002ffff00000005000107d0"),
        ("0.00001", "0001fffe0000000503e8"),
        ("0.00000000000001", "0001fffc0000000e0064"),
        (".5", "0001ffff000000011388"),
        ("5.", "00010000000000000005"),
        ("-12.5e-3", "0001ffff40000004007d"),
        ("1e4", "00010001000000000001"),
        ("1e5", "0001000100000000000a"),
        ("1E+2", "00010000000000000064"),
        ("120e-1", "0001000000000001000c"),
        ("1e-10", "0001fffd0000000a0064"),
        ("100000000", "00010002000000000001"),
        ("1000000.0001", "0003000100000004006400000001"),
        ("12345678.12345678", "000400010000000804d2162e04d2162e"),
        (
            "99999999999999999999.99999999999999999999",
            "000a000400000014270f270f270f270f270f270f270f270f270f270f",
        ),
    ];

    #[test]
    fn texts_that_are_not_numbers_are_rejected() {
        for text in [
            "", "-", ".", "+-1", "1.2.3", "1e", "1e5e5", "1e99999", "0x1", "1_000", " 1", "NaN",
            "Infinity",
        ] {
            assert_eq!(encode(text), None, "{text}");
        }
    }

    #[test]
    fn the_length_is_limited_with_and_without_an_exponent() {
        let long = "1".repeat(MAX_DIGITS);
        assert!(encode(&long).is_some());
        assert_eq!(encode(&format!("{long}1")), None);
        assert!(encode("1e999").is_some());
        assert_eq!(encode("1e1000"), None);
        assert!(encode("1e-1000").is_some());
        assert_eq!(encode("1e-1001"), None);
    }

    #[test]
    fn altered_bytes_of_a_cursor_are_rejected() {
        let valid = encode("-19.9").unwrap_or_default();
        for (at, byte) in [(1, 3), (2, 0x7f), (4, 0xc0), (6, 0xff), (8, 0x27 + 1)] {
            let mut bytes = valid.clone();
            bytes[at] = byte;
            assert!(!is_valid(&bytes), "{at}");
        }
        for len in 0..valid.len() {
            assert!(!is_valid(&valid[..len]), "{len}");
        }
    }
}
