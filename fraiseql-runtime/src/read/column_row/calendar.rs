//! Dates and times as PostgreSQL writes them in JSON, from the integers that it stores: the reverse of
//! `read/list/encode/calendar.rs`.

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 24 * 60 * 60 * MICROS_PER_SECOND;
/// The days from 0000-03-01 to 2000-01-01.
const TO_2000: i64 = 730_425;
const DAYS_OF_400_YEARS: i64 = 146_097;

/// Appends the date of a number of days since 2000-01-01.
pub(super) fn date(days: i64, out: &mut Vec<u8>) {
    // Years are counted from March, as in the reverse: a leap day is the last day of its year.
    let days = days.saturating_add(TO_2000);
    let (era, day) = (
        days.div_euclid(DAYS_OF_400_YEARS),
        days.rem_euclid(DAYS_OF_400_YEARS),
    );
    // The last days of 4, 100 and 400 years are no years of their own.
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let year = year + 400 * era;
    let (year, month) = match month {
        0..10 => (year, month + 3),
        _ => (year + 1, month - 9),
    };
    digits(year, 4, out);
    out.push(b'-');
    digits(month, 2, out);
    out.push(b'-');
    digits(day, 2, out);
}

/// Appends the time of a number of microseconds since midnight.
pub(super) fn time(micros: i64, out: &mut Vec<u8>) {
    let seconds = micros / MICROS_PER_SECOND;
    for (index, part) in [seconds / 3_600, seconds / 60 % 60, seconds % 60]
        .into_iter()
        .enumerate()
    {
        if index > 0 {
            out.push(b':');
        }
        digits(part, 2, out);
    }
    let micros = micros % MICROS_PER_SECOND;
    if micros == 0 {
        return;
    }
    out.push(b'.');
    digits(micros, 6, out);
    while out.last() == Some(&b'0') {
        out.pop();
    }
}

/// Appends the date and time of a number of microseconds since 2000-01-01.
pub(super) fn timestamp(micros: i64, out: &mut Vec<u8>) {
    date(micros.div_euclid(MICROS_PER_DAY), out);
    out.push(b'T');
    time(micros.rem_euclid(MICROS_PER_DAY), out);
}

/// Appends a number that is not negative with at least this number of digits.
fn digits(number: i64, count: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("{number:0count$}").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text<T>(write: fn(T, &mut Vec<u8>), value: T) -> String {
        let mut out = Vec::new();
        write(value, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn dates_are_those_of_postgres() {
        for (days, expected) in [
            (-730_119, "0001-01-01"),
            (-36_466, "1900-02-28"),
            (-36_465, "1900-03-01"),
            (-1, "1999-12-31"),
            (0, "2000-01-01"),
            (59, "2000-02-29"),
            (60, "2000-03-01"),
            (365, "2000-12-31"),
            (8_825, "2024-02-29"),
            (9_821, "2026-11-21"),
            (36_583, "2100-02-28"),
            (36_584, "2100-03-01"),
            (2_921_939, "9999-12-31"),
        ] {
            assert_eq!(text(date, days), expected);
        }
    }

    #[test]
    fn each_date_is_read_back() {
        let mut before = String::new();
        for days in -730_119..=2_921_939 {
            let date = text(date, days);
            assert!(before < date, "{before} {date}");
            before = date;
        }
    }

    #[test]
    fn times_have_no_trailing_zeros() {
        assert_eq!(text(time, 0), "00:00:00");
        assert_eq!(text(time, 45_296_789_000), "12:34:56.789");
        assert_eq!(text(time, MICROS_PER_DAY - 1), "23:59:59.999999");
        assert_eq!(text(timestamp, -1), "1999-12-31T23:59:59.999999");
        assert_eq!(
            text(timestamp, -63_082_281_600_000_000),
            "0001-01-01T00:00:00"
        );
        assert_eq!(text(timestamp, 500_000), "2000-01-01T00:00:00.5");
    }
}
