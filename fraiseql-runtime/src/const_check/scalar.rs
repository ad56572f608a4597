//! Checks of the types of fields: scalars, keys, aggregates, promoted columns, indexes and
//! partition bounds.

use crate::const_check::compare::same;
use crate::schema::scalar::ScalarType;
use crate::schema::{Function, Shape};

/// Panics if the type cannot be a field: see [`FLAW`](crate::Scalar::FLAW).
#[track_caller]
pub const fn scalar(flaw: Option<&'static str>) {
    if let Some(flaw) = flaw {
        panic!("{}", flaw);
    }
}

/// Panics if the key of a part may be null, or is a list. The key of a view is a
/// [`Key`](crate::Key), which the compiler checks.
#[track_caller]
pub const fn key(ty: ScalarType) {
    assert!(
        !ty.nullable,
        "a key is never null: its type must not be an Option"
    );
    assert!(
        ty.list.is_none(),
        "a key is one value: its type must not be a Vec"
    );
}

/// Panics if the type cannot hold the result of the aggregate function.
#[track_caller]
pub const fn aggregate(function: Function, ty: ScalarType) {
    assert!(
        ty.list.is_none(),
        "an aggregate is one value: its type must not be a Vec"
    );
    match function {
        Function::Count => {
            assert!(
                is_whole(ty.sql) && !ty.nullable,
                "`count` is a whole number and never null: its type must be i64, i32 or i16"
            );
        }
        Function::Exists => {
            assert!(
                same(ty.sql, "boolean") && !ty.nullable,
                "`exists` is true or false and never null: its type must be bool"
            );
        }
        Function::Avg => {
            assert!(
                ty.nullable,
                "`avg` is null without rows: its type must be an Option, such as Option<f64>"
            );
            assert!(
                may_be_number(ty.sql),
                "`avg` is a number: its type must be an Option of a number, such as Option<f64>"
            );
        }
        Function::Min => {
            assert!(
                ty.nullable,
                "`min` is null without rows: its type must be an Option"
            );
        }
        Function::Max => {
            assert!(
                ty.nullable,
                "`max` is null without rows: its type must be an Option"
            );
        }
        Function::Sum => {
            assert!(
                may_be_number(ty.sql),
                "`sum` is a number: its type must be i64, f64, Decimal or an Option of these, \
                 whichever holds the sum in PostgreSQL"
            );
        }
    }
}

/// Panics if the type is not [`GlobalId`](crate::GlobalId), or a newtype of it: the one text that is an `ID`.
#[track_caller]
pub const fn global_id(ty: ScalarType) {
    // The placeholder of a type that is not a scalar, which is reported by itself.
    if ty.sql.is_empty() {
        return;
    }
    assert!(
        same(ty.graphql, "ID") && same(ty.sql, "text") && !ty.nullable && ty.list.is_none(),
        "`global_id` is the name of the type and the key as one text, which is never null: its type must be \
         fraiseql_runtime::GlobalId"
    );
}

/// Panics if the type cannot hold a list of values.
#[track_caller]
pub const fn values(ty: ScalarType) {
    // The placeholder of a type that is not a scalar, which is reported by itself.
    if ty.sql.is_empty() {
        return;
    }
    assert!(
        ty.list.is_some(),
        "`values` is a list: its type must be a Vec, such as Vec<String>"
    );
    assert!(
        !ty.nullable,
        "`values` is a list and never null: without rows it is empty, so its type must not be an Option"
    );
}

/// Whether a PostgreSQL type is an integer type.
const fn is_whole(sql: &str) -> bool {
    same(sql, "int2") || same(sql, "int4") || same(sql, "int8")
}

/// Whether a PostgreSQL type may be a number. Scalars of other crates may have any type, so only
/// the types that are certainly not numbers are excluded.
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

/// Panics if a promoted column of the type could not be indexed.
#[track_caller]
pub const fn promoted(ty: ScalarType) {
    assert!(
        !same(ty.sql, "jsonb") && !same(ty.sql, "json"),
        "`filter`, `sort` and `unique` create an indexed column, and JSON has no order for an \
         index: promote a value inside of it with `expr`"
    );
}

/// Panics if the value is not a text, which a full-text index can search.
#[track_caller]
pub const fn text(ty: ScalarType, message: &'static str) {
    if !same(ty.sql, "text") || ty.list.is_some() {
        panic!("{}", message);
    }
}

/// Panics if the value is not JSON, which has keys of its own.
#[track_caller]
pub const fn json(ty: ScalarType, message: &'static str) {
    if !same(ty.graphql, "JSON") || ty.list.is_some() {
        panic!("{}", message);
    }
}

/// Panics if the objects of a part do not have a JSON key.
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

/// Panics if the bounds of partitions are not keys, or not in ascending order. The order of texts
/// is not checked: it depends on the collation of the database.
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
                    "the bounds of `range` must be whole numbers, like the keys: \
                     range = \"1000000, 2000000\""
                );
            };
            // The largest number of a type is -(smallest + 1).
            assert!(
                value >= min && value <= -(min + 1),
                "a bound of `range` is out of range for the type of the key"
            );
            if let Some(before) = before {
                assert!(
                    before < value,
                    "the bounds of `range` must be in ascending order"
                );
            }
            before = Some(value);
        } else if same(key.sql, "uuid") {
            assert!(
                is_uuid(bound),
                "the bounds of `range` must be UUIDs, like the keys: \
                 range = \"80000000-0000-0000-0000-000000000000\""
            );
            assert!(
                index == 0 || less(bounds[index - 1].as_bytes(), bound),
                "the bounds of `range` must be in ascending order"
            );
        }
        index += 1;
    }
}

/// The number that a text spells; `None` if PostgreSQL would write it in another way.
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
        // Accumulates the negated number, because the smallest has no positive counterpart.
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

/// `a < b` for the texts of two UUIDs, in upper or lower case.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_spelled_as_postgresql_spells_them() {
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
    fn a_uuid_has_hyphens() {
        assert!(is_uuid(b"80000000-0000-0000-0000-00000000000F"));
        assert!(!is_uuid(b"80000000000000000000000000000000"));
        assert!(!is_uuid(b"80000000-0000-0000-0000-00000000000g"));
    }
}
