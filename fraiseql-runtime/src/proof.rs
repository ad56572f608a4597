//! Assertions that the derives make in constants.

use crate::scalar::ScalarType;
use crate::schema::Function;

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
