//! The date and time types of `chrono`.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike, Utc};

use super::JsonEncoding;
use super::iso::{Clock, Day, iso};
use super::json_encoding::LAST_INSTANT;

/// Narrows a number below 100.
#[expect(clippy::cast_possible_truncation, reason = "below 100")]
const fn small(number: u32) -> u8 {
    number as u8
}

fn day(date: NaiveDate) -> Day {
    Day {
        year: date.year(),
        month: small(date.month()),
        day: small(date.day()),
    }
}

fn clock(time: NaiveTime) -> Clock {
    Clock {
        hour: small(time.hour()),
        minute: small(time.minute()),
        second: small(time.second()),
        // chrono counts the nanoseconds of a leap second from 1,000,000,000 on.
        nanos: time.nanosecond() % 1_000_000_000,
    }
}

iso! {
    DateTime<Utc> => "timestamptz", JsonEncoding::Timestamptz { last: LAST_INSTANT }, "DateTime",
        "a time in RFC 3339",
        instant(|at| (day(at.date_naive()), clock(at.time()))),
        |text| Some(DateTime::parse_from_rfc3339(text).ok()?.to_utc());
    NaiveDateTime => "timestamp", JsonEncoding::Timestamp, "NaiveDateTime",
        "a date and time in ISO 8601",
        local(|at| (day(at.date()), clock(at.time()))),
        |text| text.parse().ok();
    NaiveDate => "date", JsonEncoding::Date, "Date", "a date in ISO 8601",
        date(|at| day(*at)),
        |text| text.parse().ok();
    NaiveTime => "time", JsonEncoding::Time, "Time", "a time of day in ISO 8601",
        time(|at| clock(*at)),
        |text| text.parse().ok();
}
