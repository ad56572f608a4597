//! The date and time types of `jiff`, except `Zoned`: a `timestamptz` stores no time zone.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;

use super::JsonEncoding;
use super::iso::{Clock, Day, iso};

/// The last whole microsecond that a `Timestamp` can hold.
const LAST: &str = "9999-12-30T22:00:00Z";

fn day(date: Date) -> Day {
    Day {
        year: date.year().into(),
        month: date.month().unsigned_abs(),
        day: date.day().unsigned_abs(),
    }
}

fn clock(time: Time) -> Clock {
    Clock {
        hour: time.hour().unsigned_abs(),
        minute: time.minute().unsigned_abs(),
        second: time.second().unsigned_abs(),
        nanos: time.subsec_nanosecond().unsigned_abs(),
    }
}

fn parts(at: DateTime) -> (Day, Clock) {
    (day(at.date()), clock(at.time()))
}

iso! {
    Timestamp => "timestamptz", JsonEncoding::Timestamptz { last: LAST }, "DateTime",
        "a time in RFC 3339",
        instant(|at| parts(Offset::UTC.to_datetime(*at))),
        |text| text.parse().ok();
    DateTime => "timestamp", JsonEncoding::Timestamp, "NaiveDateTime",
        "a date and time in ISO 8601",
        local(|at| parts(*at)),
        |text| text.parse().ok();
    Date => "date", JsonEncoding::Date, "Date", "a date in ISO 8601",
        date(|at| day(*at)),
        |text| text.parse().ok();
    Time => "time", JsonEncoding::Time, "Time", "a time of day in ISO 8601",
        time(|at| clock(*at)),
        |text| text.parse().ok();
}
