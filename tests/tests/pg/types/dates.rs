//! Tests dates and times of the crates chrono, time and jiff in every position of a document.

use std::fmt::Debug;

use proptest::prelude::*;

use crate::types::row::{Row, check, thing};

/// 0001-01-01T00:00:00Z, in microseconds.
const FIRST: i64 = -62_135_596_800_000_000;
/// 9999-12-31T23:59:59.999999Z.
const LAST: i64 = 253_402_300_799_999_999;
/// The last instant of jiff's `Timestamp`.
const LAST_OF_JIFF: i64 = 253_402_207_200_000_000;
const DAY: i64 = 86_400_000_000;

/// Builds the values of a type from microseconds since 1970, or since midnight.
fn row<T: Clone + Debug + 'static>(
    sql: &'static str,
    text: fn(&T) -> String,
    (first, last): (i64, i64),
    of: fn(i64) -> T,
) -> Row<T> {
    let second = 1_000_000;
    let edges = [
        first,
        first + 1,
        first + second,
        first + DAY / 2,
        last - second,
        last - 1,
        last,
        100_000,
        123_450,
        DAY / 2 + second / 2,
    ];
    Row {
        sql,
        before: "",
        text,
        promoted: "v.value IS NOT DISTINCT FROM t.value",
        same: |_, _| false,
        cases: 10,
        edges: edges.map(of).to_vec(),
        any: prop_oneof![first..=last, 0..=DAY - 1].prop_map(of).boxed(),
    }
}

/// PostgreSQL reads the formats that chrono writes.
mod write {
    use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};

    pub(super) fn at(micros: i64) -> String {
        DateTime::from_timestamp_micros(micros)
            .unwrap()
            .to_rfc3339()
    }

    pub(super) fn local(at: &NaiveDateTime) -> String {
        at.to_string()
    }

    pub(super) fn day(day: &NaiveDate) -> String {
        day.to_string()
    }

    pub(super) fn clock(clock: &NaiveTime) -> String {
        clock.to_string()
    }
}

mod by_chrono {
    use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};

    use super::*;

    thing!(timestamptz: DateTime<Utc>, ordered);
    thing!(timestamp: NaiveDateTime, ordered);
    thing!(date: NaiveDate, ordered);
    thing!(time: NaiveTime, ordered);

    fn at(micros: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(micros).unwrap()
    }

    #[test]
    fn an_instant_is_timestamptz() {
        let row = row("timestamptz", DateTime::to_rfc3339, (FIRST, LAST), at);
        check::<_, timestamptz::Jsonb, timestamptz::Json>(row);
    }

    #[test]
    fn a_naive_date_time_is_timestamp() {
        let row = row("timestamp", write::local, (FIRST, LAST), |micros| {
            at(micros).naive_utc()
        });
        check::<_, timestamp::Jsonb, timestamp::Json>(row);
    }

    #[test]
    fn a_naive_date_is_date() {
        let row = row("date", write::day, (FIRST, LAST), |micros| {
            at(micros).date_naive()
        });
        check::<_, date::Jsonb, date::Json>(row);
    }

    #[test]
    fn a_naive_time_is_time() {
        let row = row("time", write::clock, (0, DAY - 1), |micros| {
            at(micros).time()
        });
        check::<_, time::Jsonb, time::Json>(row);
    }
}

mod by_time {
    use ::time::{Date, OffsetDateTime, PrimitiveDateTime, Time, UtcDateTime, UtcOffset};

    use super::*;

    thing!(offset: OffsetDateTime, ordered);
    thing!(utc: UtcDateTime, ordered);
    thing!(timestamp: PrimitiveDateTime, ordered);
    thing!(date: Date, ordered);
    thing!(time: Time, ordered);

    fn at(micros: i64) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1000).unwrap()
    }

    fn micros(at: OffsetDateTime) -> i64 {
        i64::try_from(at.unix_timestamp_nanos() / 1000).unwrap()
    }

    #[test]
    fn an_instant_is_timestamptz() {
        // In another zone, as far as the calendar allows.
        let of = |micros: i64| {
            let at = at(micros);
            at.checked_to_offset(UtcOffset::from_hms(5, 45, 0).unwrap())
                .unwrap_or(at)
        };
        let text = |at: &OffsetDateTime| write::at(micros(*at));
        let row = row("timestamptz", text, (FIRST, LAST), of);
        check::<_, offset::Jsonb, offset::Json>(row);
    }

    #[test]
    fn an_instant_in_utc_is_timestamptz() {
        let text = |at: &UtcDateTime| write::at(micros((*at).into()));
        let row = row("timestamptz", text, (FIRST, LAST), |micros| {
            at(micros).to_utc()
        });
        check::<_, utc::Jsonb, utc::Json>(row);
    }

    #[test]
    fn a_date_time_is_timestamp() {
        let row = row(
            "timestamp",
            PrimitiveDateTime::to_string,
            (FIRST, LAST),
            |micros| {
                let at = at(micros);
                PrimitiveDateTime::new(at.date(), at.time())
            },
        );
        check::<_, timestamp::Jsonb, timestamp::Json>(row);
    }

    #[test]
    fn a_date_is_date() {
        let row = row("date", Date::to_string, (FIRST, LAST), |micros| {
            at(micros).date()
        });
        check::<_, date::Jsonb, date::Json>(row);
    }

    #[test]
    fn a_time_is_time() {
        let row = row("time", Time::to_string, (0, DAY - 1), |micros| {
            at(micros).time()
        });
        check::<_, time::Jsonb, time::Json>(row);
    }
}

mod by_jiff {
    use ::jiff::Timestamp;
    use ::jiff::civil::{Date, DateTime, Time};
    use ::jiff::tz::Offset;

    use super::*;

    thing!(timestamptz: Timestamp, ordered);
    thing!(timestamp: DateTime, ordered);
    thing!(date: Date, ordered);
    thing!(time: Time, ordered);

    fn at(micros: i64) -> DateTime {
        let days = micros.div_euclid(DAY);
        let rest = micros.rem_euclid(DAY);
        let midnight = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
        // Added one by one, because a span has one sign.
        let day = midnight
            .checked_add(::jiff::Span::new().days(days))
            .unwrap();
        day.checked_add(::jiff::Span::new().microseconds(rest))
            .unwrap()
    }

    #[test]
    fn an_instant_is_timestamptz() {
        let row = row(
            "timestamptz",
            Timestamp::to_string,
            (FIRST, LAST_OF_JIFF),
            |micros| Timestamp::from_microsecond(micros).unwrap(),
        );
        check::<_, timestamptz::Jsonb, timestamptz::Json>(row);
    }

    #[test]
    fn a_civil_date_time_is_timestamp() {
        let row = row("timestamp", DateTime::to_string, (FIRST, LAST), at);
        check::<_, timestamp::Jsonb, timestamp::Json>(row);
    }

    #[test]
    fn a_civil_date_is_date() {
        let row = row("date", Date::to_string, (FIRST, LAST), |micros| {
            at(micros).date()
        });
        check::<_, date::Jsonb, date::Json>(row);
    }

    #[test]
    fn a_civil_time_is_time() {
        let row = row("time", Time::to_string, (0, DAY - 1), |micros| {
            at(micros).time()
        });
        check::<_, time::Jsonb, time::Json>(row);
    }

    #[test]
    fn the_calendar_agrees_with_the_instant() {
        for micros in [FIRST, 0, 100_000, LAST_OF_JIFF] {
            let instant = Timestamp::from_microsecond(micros).unwrap();
            assert_eq!(Offset::UTC.to_datetime(instant), at(micros));
        }
    }
}

/// The three crates write the same text.
#[test]
fn nanoseconds_are_written_and_years_beyond_9999_are_not() {
    use fraiseql_runtime::Scalar;

    fn json<T: Scalar>(value: &T) -> Result<String, String> {
        let mut out = Vec::new();
        value
            .serialize_json(&mut serde_json::Serializer::new(&mut out))
            .map_err(|error| error.to_string())?;
        Ok(String::from_utf8(out).unwrap())
    }

    let nanos = 1_769_860_800_500_000_001;
    let expected = Ok("\"2026-01-31T12:00:00.500000001+00:00\"".to_owned());
    assert_eq!(
        json(&chrono::DateTime::from_timestamp_nanos(nanos)),
        expected
    );
    let by_time = time::OffsetDateTime::from_unix_timestamp_nanos(nanos.into()).unwrap();
    assert_eq!(json(&by_time), expected);
    let by_jiff = jiff::Timestamp::from_nanosecond(nanos.into()).unwrap();
    assert_eq!(json(&by_jiff), expected);

    let error = "the year 10000 has no JSON encoding: years are 0001 to 9999";
    let after = chrono::NaiveDate::from_ymd_opt(10_000, 1, 1).unwrap();
    assert_eq!(json(&after), Err(error.to_owned()));
    let before = jiff::civil::Date::constant(-1, 1, 1);
    assert!(json(&before).unwrap_err().contains("-1"));
}
