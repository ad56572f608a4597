//! Dates and times: ISO 8601 texts to the integers that PostgreSQL stores, from year 1 to 9999.
//!
//! Digits beyond a microsecond are truncated, as sqlx does with the types of the date crates.

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 24 * 60 * 60 * MICROS_PER_SECOND;
/// 0001-01-01 and 9999-12-31 as days since 2000-01-01.
const DAYS: std::ops::RangeInclusive<i32> = -730_119..=2_921_939;

/// Parses a date to days since 2000-01-01.
pub(super) fn date(text: &str) -> Option<i32> {
    let (days, rest) = take_date(text.as_bytes())?;
    rest.is_empty().then_some(days)
}

/// Parses a time of day to microseconds since midnight.
pub(super) fn time(text: &str) -> Option<i64> {
    let (micros, rest) = take_time(text.as_bytes())?;
    rest.is_empty().then_some(micros)
}

/// Parses a date and time without an offset to microseconds since 2000-01-01.
pub(super) fn timestamp(text: &str) -> Option<i64> {
    let (micros, rest) = take_timestamp(text.as_bytes())?;
    rest.is_empty().then_some(micros)
}

/// Parses a date and time with an offset to microseconds since 2000-01-01 in UTC.
pub(super) fn timestamptz(text: &str) -> Option<i64> {
    let (micros, rest) = take_timestamp(text.as_bytes())?;
    let minutes = match rest {
        b"Z" | b"z" => 0,
        [sign @ (b'+' | b'-'), offset @ ..] => {
            let (hours, rest) = take_number(offset, 2)?;
            let rest = rest.strip_prefix(b":").unwrap_or(rest);
            let (minutes, rest) = if rest.is_empty() {
                (0, rest)
            } else {
                take_number(rest, 2)?
            };
            if !rest.is_empty() || hours > 15 || minutes > 59 {
                return None;
            }
            let minutes = hours * 60 + minutes;
            if *sign == b'-' { -minutes } else { minutes }
        }
        _ => return None,
    };
    let micros = micros - i64::from(minutes) * 60 * MICROS_PER_SECOND;
    is_valid_timestamp(micros).then_some(micros)
}

/// Whether a document can have this date.
pub(super) fn is_valid_date(days: i32) -> bool {
    DAYS.contains(&days)
}

/// Whether this is a time of day, which does not include 24:00.
pub(super) fn is_valid_time(micros: i64) -> bool {
    (0..MICROS_PER_DAY).contains(&micros)
}

/// Whether a document can have this timestamp.
pub(super) fn is_valid_timestamp(micros: i64) -> bool {
    i32::try_from(micros.div_euclid(MICROS_PER_DAY)).is_ok_and(is_valid_date)
}

/// Takes a date and a time from the start of the text, and returns the rest of it.
fn take_timestamp(text: &[u8]) -> Option<(i64, &[u8])> {
    let (days, rest) = take_date(text)?;
    let rest = match rest {
        [b'T' | b't' | b' ', rest @ ..] => rest,
        _ => return None,
    };
    let (micros, rest) = take_time(rest)?;
    Some((i64::from(days) * MICROS_PER_DAY + micros, rest))
}

/// Takes a date from the start of the text, as days since 2000-01-01.
fn take_date(text: &[u8]) -> Option<(i32, &[u8])> {
    let (year, rest) = take_number(text, 4)?;
    let (month, rest) = take_number(rest.strip_prefix(b"-")?, 2)?;
    let (day, rest) = take_number(rest.strip_prefix(b"-")?, 2)?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    if year == 0 || !(1..=length).contains(&day) {
        return None;
    }
    // Count years from March, so that a leap day is the last day of its year and the lengths of
    // the months repeat: every five months from March have 153 days.
    let (year, month) = if month < 3 {
        (year - 1, month + 9)
    } else {
        (year, month - 3)
    };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day;
    // 730,426 is the same count for 2000-01-01.
    Some((days - 730_426, rest))
}

/// Takes a time of day from the start of the text, as microseconds since midnight.
fn take_time(text: &[u8]) -> Option<(i64, &[u8])> {
    let (hour, rest) = take_number(text, 2)?;
    let (minute, rest) = take_number(rest.strip_prefix(b":")?, 2)?;
    let (second, rest) = match rest.strip_prefix(b":") {
        Some(rest) => take_number(rest, 2)?,
        None => (0, rest),
    };
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (fraction, rest) = match rest {
        [b'.' | b',', rest @ ..] => take_fraction(rest)?,
        _ => (0, rest),
    };
    let seconds = i64::from((hour * 60 + minute) * 60 + second);
    Some((seconds * MICROS_PER_SECOND + fraction, rest))
}

/// Takes one to nine digits of a fraction of a second, as microseconds.
fn take_fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if !(1..=9).contains(&count) {
        return None;
    }
    let digit = |index: usize| text[..count].get(index).map_or(0, |byte| byte - b'0');
    let micros = (0..6).fold(0, |micros, index| micros * 10 + i64::from(digit(index)));
    Some((micros, &text[count..]))
}

/// Takes a number of exactly this number of digits.
fn take_number(text: &[u8], digits: usize) -> Option<(i32, &[u8])> {
    let (number, rest) = text.split_at_checked(digits)?;
    let number = number.iter().try_fold(0, |number, byte| {
        byte.is_ascii_digit()
            .then(|| number * 10 + i32::from(byte - b'0'))
    })?;
    Some((number, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_encoded_as_date_send_encodes_them() {
        // Integers of `date_send`, PostgreSQL 15.
        for (text, days) in [
            ("0001-01-01", *DAYS.start()),
            ("1900-02-28", -36_466),
            ("1900-03-01", -36_465),
            ("1970-01-01", -10_957),
            ("1999-12-31", -1),
            ("2000-01-01", 0),
            ("2000-02-29", 59),
            ("2024-02-29", 8_825),
            ("2024-03-01", 8_826),
            ("2026-11-21", 9_821),
            ("2100-02-28", 36_583),
            ("2100-03-01", 36_584),
            ("9999-12-31", *DAYS.end()),
        ] {
            assert_eq!(date(text), Some(days), "{text}");
        }
        for invalid in [
            "2026-02-29",
            "2026-13-01",
            "2026-00-01",
            "2026-01-32",
            "0000-01-01",
            "20260101",
            "2026-1-1",
            "10000-01-01",
            "2026-01-01 ",
            "+2026-01-01",
            "infinity",
            "today",
            "",
        ] {
            assert_eq!(date(invalid), None, "{invalid}");
        }
    }

    #[test]
    fn times_have_a_precision_of_microseconds() {
        assert_eq!(time("00:00"), Some(0));
        assert_eq!(time("23:59:59.9999999"), Some(MICROS_PER_DAY - 1));
        assert_eq!(time("00:00:00.5"), Some(500_000));
        // The integer of `time_send`, PostgreSQL 15.
        assert_eq!(time("12:34:56.789"), Some(45_296_789_000));
        for invalid in [
            "24:00",
            "12:60",
            "12:00:60",
            "12",
            "12:00:00.",
            "1:00",
            "12:00:00Z",
        ] {
            assert_eq!(time(invalid), None, "{invalid}");
        }
    }

    #[test]
    fn a_timestamp_with_time_zone_needs_an_offset() {
        // Integers of `timestamptz_send`, PostgreSQL 15.
        for (text, micros) in [
            ("0001-01-01T00:00:00Z", -63_082_281_600_000_000),
            ("1999-12-31T23:59:59.999999Z", -1),
            ("2026-11-21T10:20:30.123456+05:30", 848_551_830_123_456),
            ("9999-12-31T23:59:59.999999Z", 252_455_615_999_999_999),
        ] {
            assert_eq!(timestamptz(text), Some(micros), "{text}");
        }
        let noon = timestamptz("2000-01-01T12:00:00Z");
        assert_eq!(noon, Some(MICROS_PER_DAY / 2));
        assert_eq!(timestamptz("2000-01-01 13:30:00+01:30"), noon);
        assert_eq!(timestamptz("2000-01-01t07:00:00-0500"), noon);
        assert_eq!(timestamptz("2000-01-01T13:00+01"), noon);
        for invalid in [
            "2000-01-01T12:00:00",
            "2000-01-01T12:00:00 Z",
            "2000-01-01T12:00:00+16:00",
            "2000-01-01T12:00:00Z; DROP",
            "0001-01-01T00:00:00+01:00",
            "2000-01-01T12:00:00+1",
        ] {
            assert_eq!(timestamptz(invalid), None, "{invalid}");
        }
        assert_eq!(timestamp("2000-01-01T12:00:00Z"), None);
    }
}
