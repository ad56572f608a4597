//! The date and time types of `time`.

use time::format_description::well_known::{Iso8601, Rfc3339};
use time::{Date, OffsetDateTime, PrimitiveDateTime, Time, UtcDateTime, UtcOffset};

use super::JsonEncoding;
use super::iso::{Clock, Day, iso};
use super::json_encoding::LAST_INSTANT;

fn day(date: Date) -> Day {
    Day {
        year: date.year(),
        month: date.month().into(),
        day: date.day(),
    }
}

fn clock(time: Time) -> Clock {
    Clock {
        hour: time.hour(),
        minute: time.minute(),
        second: time.second(),
        nanos: time.nanosecond(),
    }
}

/// The day and time of an instant in UTC.
fn utc(at: OffsetDateTime) -> (Day, Clock) {
    match at.checked_to_utc() {
        Some(at) => (day(at.date()), clock(at.time())),
        // Not representable in UTC, so the year is outside of 1 to 9999: year 0 is rejected when
        // it is serialized.
        None => (
            Day {
                year: 0,
                month: 1,
                day: 1,
            },
            clock(Time::MIDNIGHT),
        ),
    }
}

fn instant(text: &str) -> Option<OffsetDateTime> {
    let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    at.checked_to_offset(UtcOffset::UTC)
}

iso! {
    OffsetDateTime => "timestamptz", JsonEncoding::Timestamptz { last: LAST_INSTANT }, "DateTime",
        "a time in RFC 3339",
        instant(|at| utc(*at)),
        instant;
    UtcDateTime => "timestamptz", JsonEncoding::Timestamptz { last: LAST_INSTANT }, "DateTime",
        "a time in RFC 3339",
        instant(|at| (day(at.date()), clock(at.time()))),
        |text| instant(text)?.checked_to_utc();
    PrimitiveDateTime => "timestamp", JsonEncoding::Timestamp, "NaiveDateTime",
        "a date and time in ISO 8601",
        local(|at| (day(at.date()), clock(at.time()))),
        |text| PrimitiveDateTime::parse(text, &Iso8601::PARSING).ok();
    Date => "date", JsonEncoding::Date, "Date", "a date in ISO 8601",
        date(|at| day(*at)),
        |text| Date::parse(text, &Iso8601::PARSING).ok();
    Time => "time", JsonEncoding::Time, "Time", "a time of day in ISO 8601",
        time(|at| clock(*at)),
        |text| Time::parse(text, &Iso8601::PARSING).ok();
}
