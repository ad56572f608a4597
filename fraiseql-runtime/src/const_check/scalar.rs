//! Assertions that the derives make in constants.

use crate::schema::scalar::ScalarType;
use crate::schema::{Function, Shape};

/// The type has no [`FLAW`](crate::Scalar::FLAW).
#[track_caller]
pub const fn scalar(flaw: Option<&'static str>) {
    if let Some(flaw) = flaw {
        panic!("{}", flaw);
    }
}

/// The key of a part is there, and is one value. That of a view is a [`Key`](crate::Key).
#[track_caller]
pub const fn key(ty: ScalarType) {
    assert!(
        !ty.nullable,
        "a key cannot be null: its type cannot be an Option"
    );
    assert!(
        ty.list.is_none(),
        "a key is one value: its type cannot be a Vec"
    );
}

/// The field can hold what the function yields.
#[track_caller]
pub const fn aggregate(function: Function, ty: ScalarType) {
    assert!(
        ty.list.is_none(),
        "an aggregate is one value: its type cannot be a Vec"
    );
    match function {
        Function::Count => {
            assert!(
                is_whole(ty.sql) && !ty.nullable,
                "count is a whole number and never null: its type is i64 (or i32, i16)"
            );
        }
        Function::Exists => {
            assert!(
                same(ty.sql, "boolean") && !ty.nullable,
                "exists is true or false and never null: its type is bool"
            );
        }
        Function::Avg => {
            assert!(
                ty.nullable,
                "avg is null when there are no rows: its type is an Option, such as Option<f64>"
            );
            assert!(
                may_be_number(ty.sql),
                "avg is a number: its type is an Option of one, such as Option<f64>"
            );
        }
        Function::Min => {
            assert!(
                ty.nullable,
                "min is null when there are no rows: its type is an Option"
            );
        }
        Function::Max => {
            assert!(
                ty.nullable,
                "max is null when there are no rows: its type is an Option"
            );
        }
        Function::Sum => {
            assert!(
                may_be_number(ty.sql),
                "sum is a number: its type is i64, f64, Decimal or an Option of one, as the sum \
                 is in PostgreSQL"
            );
        }
    }
}

/// Whether it is a whole number, by whatever name in GraphQL.
const fn is_whole(sql: &str) -> bool {
    same(sql, "int2") || same(sql, "int4") || same(sql, "int8")
}

/// Whether it is none of the types that are surely no numbers: types of other crates may
/// stand for any.
const fn may_be_number(sql: &str) -> bool {
    let others = [
        "boolean",
        "text",
        "uuid",
        "json",
        "jsonb",
        "timestamptz",
        "timestamp",
        "date",
        "time",
    ];
    let mut index = 0;
    while index < others.len() {
        if same(sql, others[index]) {
            return false;
        }
        index += 1;
    }
    true
}

/// A column can hold the value, and an index can order it.
#[track_caller]
pub const fn promoted(ty: ScalarType) {
    assert!(
        !same(ty.sql, "jsonb") && !same(ty.sql, "json"),
        "filter, sort and unique make an indexed column, and JSON has no order to index: \
         promote a part of it with `expr`"
    );
}

/// An index can search the words of the value.
#[track_caller]
pub const fn text(ty: ScalarType, message: &'static str) {
    if !same(ty.sql, "text") || ty.list.is_some() {
        panic!("{}", message);
    }
}

/// The value has keys of its own.
#[track_caller]
pub const fn json(ty: ScalarType, message: &'static str) {
    if !same(ty.graphql, "JSON") || ty.list.is_some() {
        panic!("{}", message);
    }
}

/// The documents of a part have a key.
#[track_caller]
pub const fn part_has_key(part: &Shape, key: &str, message: &'static str) {
    let mut index = 0;
    while index < part.fields.len() {
        if same(part.fields[index].json, key) {
            return;
        }
        index += 1;
    }
    panic!("{}", message);
}

/// The bounds of ranges of keys are keys, and in order, as far as that can be told: texts have
/// the order of the database.
#[track_caller]
pub const fn range(key: ScalarType, bounds: &[&str]) {
    let min = if same(key.sql, "int2") {
        i16::MIN as i64
    } else if same(key.sql, "int4") {
        i32::MIN as i64
    } else {
        i64::MIN
    };
    let number = same(key.sql, "int2") || same(key.sql, "int4") || same(key.sql, "int8");
    let mut before = None;
    let mut index = 0;
    while index < bounds.len() {
        let bound = bounds[index].as_bytes();
        if number {
            let Some(value) = whole_number(bound) else {
                panic!(
                    "the bounds of `range` are keys, which are whole numbers here: \
                     range = \"1000000, 2000000\""
                );
            };
            // The largest of a type is -(smallest + 1).
            assert!(
                value >= min && value <= -(min + 1),
                "a bound of `range` does not fit into the type of the key"
            );
            if let Some(before) = before {
                assert!(
                    before < value,
                    "the bounds of `range` go from small to large"
                );
            }
            before = Some(value);
        } else if same(key.sql, "uuid") {
            assert!(
                is_uuid(bound),
                "the bounds of `range` are keys, which are UUIDs here: \
                 range = \"80000000-0000-0000-0000-000000000000\""
            );
            assert!(
                index == 0 || less(bounds[index - 1].as_bytes(), bound),
                "the bounds of `range` go from small to large"
            );
        }
        index += 1;
    }
}

/// Without a sign or zeros that PostgreSQL would not write.
const fn whole_number(digits: &[u8]) -> Option<i64> {
    let negative = digits.len() > 1 && digits[0] == b'-';
    let first = if negative { 1 } else { 0 };
    if digits.len() > first + 1 && digits[first] == b'0' || digits.len() == first {
        return None;
    }
    let mut value: i64 = 0;
    let mut index = first;
    while index < digits.len() {
        let digit = digits[index];
        if !digit.is_ascii_digit() {
            return None;
        }
        // Downwards, because the smallest number has no positive twin.
        let Some(tens) = value.checked_mul(10) else {
            return None;
        };
        let Some(next) = tens.checked_sub((digit - b'0') as i64) else {
            return None;
        };
        value = next;
        index += 1;
    }
    if negative {
        Some(value)
    } else {
        value.checked_neg()
    }
}

/// `a < b`, of UUIDs: their digits are in the order of the bytes, in either case.
const fn less(a: &[u8], b: &[u8]) -> bool {
    let mut index = 0;
    while index < a.len() && index < b.len() {
        let (a, b) = (a[index].to_ascii_lowercase(), b[index].to_ascii_lowercase());
        if a != b {
            return a < b;
        }
        index += 1;
    }
    false
}

const fn is_uuid(text: &[u8]) -> bool {
    if text.len() != 36 {
        return false;
    }
    let mut index = 0;
    while index < 36 {
        let right = match index {
            8 | 13 | 18 | 23 => text[index] == b'-',
            _ => text[index].is_ascii_hexdigit(),
        };
        if !right {
            return false;
        }
        index += 1;
    }
    true
}

/// `a == b`, in a constant.
pub(crate) const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut index = 0;
    while index < a.len() {
        if a[index] != b[index] {
            return false;
        }
        index += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_written_as_postgresql_writes_them() {
        for (text, value) in [
            ("0", Some(0)),
            ("-10", Some(-10)),
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("-9223372036854775809", None),
            ("007", None),
            ("+1", None),
            ("-", None),
            ("", None),
            ("1e3", None),
        ] {
            assert_eq!(whole_number(text.as_bytes()), value, "{text}");
        }
    }

    #[test]
    fn uuids_have_hyphens() {
        assert!(is_uuid(b"80000000-0000-0000-0000-00000000000F"));
        assert!(!is_uuid(b"80000000000000000000000000000000"));
        assert!(!is_uuid(b"80000000-0000-0000-0000-00000000000g"));
    }
}
