//! Dates and times from ISO 8601 to PostgreSQL's counts, from the year 1 to 9999.
//!
//! What is finer than a microsecond is cut off, as sqlx does with the types of the date crates.

const MICROS: i64 = 1_000_000;
const DAY: i64 = 24 * 60 * 60 * MICROS;
/// The days of 0001-01-01 and 9999-12-31, counted from 2000-01-01.
const DAYS: std::ops::RangeInclusive<i32> = -730_119..=2_921_939;

/// The days since 2000-01-01.
pub(super) fn date(text: &str) -> Option<i32> {
    let (days, rest) = take_date(text.as_bytes())?;
    rest.is_empty().then_some(days)
}

/// The microseconds since midnight.
pub(super) fn time(text: &str) -> Option<i64> {
    let (micros, rest) = take_time(text.as_bytes())?;
    rest.is_empty().then_some(micros)
}

/// The microseconds since 2000-01-01.
pub(super) fn timestamp(text: &str) -> Option<i64> {
    let (micros, rest) = take_timestamp(text.as_bytes())?;
    rest.is_empty().then_some(micros)
}

/// The microseconds since 2000-01-01 in UTC.
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
    let micros = micros - i64::from(minutes) * 60 * MICROS;
    is_instant(micros).then_some(micros)
}

/// Whether it is a day that a document can have.
pub(super) fn is_date(days: i32) -> bool {
    DAYS.contains(&days)
}

/// Whether it is a time of day.
pub(super) fn is_time(micros: i64) -> bool {
    (0..DAY).contains(&micros)
}

/// Whether it is an instant that a document can have.
pub(super) fn is_instant(micros: i64) -> bool {
    i32::try_from(micros.div_euclid(DAY)).is_ok_and(is_date)
}

fn take_timestamp(text: &[u8]) -> Option<(i64, &[u8])> {
    let (days, rest) = take_date(text)?;
    let rest = match rest {
        [b'T' | b't' | b' ', rest @ ..] => rest,
        _ => return None,
    };
    let (micros, rest) = take_time(rest)?;
    Some((i64::from(days) * DAY + micros, rest))
}

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
    // Years that begin in March, so that the leap day is their last: 153 days are five months.
    let (year, month) = if month < 3 {
        (year - 1, month + 9)
    } else {
        (year, month - 3)
    };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day;
    // The first of January 2000, counted so.
    Some((days - 730_426, rest))
}

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
    Some((seconds * MICROS + fraction, rest))
}

/// Microseconds, of one digit to nine.
fn take_fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if !(1..=9).contains(&count) {
        return None;
    }
    let digit = |index: usize| text[..count].get(index).map_or(0, |byte| byte - b'0');
    let micros = (0..6).fold(0, |micros, index| micros * 10 + i64::from(digit(index)));
    Some((micros, &text[count..]))
}

/// A number of so many digits.
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
    fn days_are_counted_from_2000() {
        assert_eq!(date("2000-01-01"), Some(0));
        assert_eq!(date("2000-02-29"), Some(59));
        assert_eq!(date("1999-12-31"), Some(-1));
        assert_eq!(date("0001-01-01"), Some(*DAYS.start()));
        assert_eq!(date("9999-12-31"), Some(*DAYS.end()));
        for wrong in [
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
            assert_eq!(date(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn times_have_microseconds() {
        assert_eq!(time("00:00"), Some(0));
        assert_eq!(time("23:59:59.9999999"), Some(DAY - 1));
        assert_eq!(time("00:00:00.5"), Some(500_000));
        for wrong in [
            "24:00",
            "12:60",
            "12:00:60",
            "12",
            "12:00:00.",
            "1:00",
            "12:00:00Z",
        ] {
            assert_eq!(time(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_instant_has_an_offset() {
        let noon = timestamptz("2000-01-01T12:00:00Z");
        assert_eq!(noon, Some(DAY / 2));
        assert_eq!(timestamptz("2000-01-01 13:30:00+01:30"), noon);
        assert_eq!(timestamptz("2000-01-01t07:00:00-0500"), noon);
        assert_eq!(timestamptz("2000-01-01T13:00+01"), noon);
        for wrong in [
            "2000-01-01T12:00:00",
            "2000-01-01T12:00:00 Z",
            "2000-01-01T12:00:00+16:00",
            "2000-01-01T12:00:00Z; DROP",
            "0001-01-01T00:00:00+01:00",
            "2000-01-01T12:00:00+1",
        ] {
            assert_eq!(timestamptz(wrong), None, "{wrong}");
        }
        assert_eq!(timestamp("2000-01-01T12:00:00Z"), None);
    }
}
