//! chrono's types.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike, Utc};

use super::iso::{Clock, Day, iso};
use super::{Form, LAST_INSTANT};

/// Of numbers that have two digits at most.
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
        // A leap second counts on.
        nanos: time.nanosecond() % 1_000_000_000,
    }
}

iso! {
    DateTime<Utc> => "timestamptz", Form::Timestamptz { last: LAST_INSTANT }, "DateTime",
        "a time in RFC 3339",
        instant(|at| (day(at.date_naive()), clock(at.time()))),
        |text| Some(DateTime::parse_from_rfc3339(text).ok()?.to_utc());
    NaiveDateTime => "timestamp", Form::Timestamp, "NaiveDateTime",
        "a date and time in ISO 8601",
        local(|at| (day(at.date()), clock(at.time()))),
        |text| text.parse().ok();
    NaiveDate => "date", Form::Date, "Date", "a date in ISO 8601",
        date(|at| day(*at)),
        |text| text.parse().ok();
    NaiveTime => "time", Form::Time, "Time", "a time of day in ISO 8601",
        time(|at| clock(*at)),
        |text| text.parse().ok();
}
