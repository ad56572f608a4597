//! Assertions that the derives make in constants.

use crate::scalar::ScalarType;
use crate::schema::Function;

/// A key is there, and is one value.
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
                same(ty.graphql, "Int") && !ty.nullable,
                "count is a whole number and never null: its type is i64 (or i32, i16)"
            );
        }
        Function::Exists => {
            assert!(
                same(ty.graphql, "Boolean") && !ty.nullable,
                "exists is true or false and never null: its type is bool"
            );
        }
        Function::Avg | Function::Min | Function::Max => {
            assert!(
                ty.nullable,
                "avg, min and max are null when there are no rows: the type must be an Option"
            );
        }
        Function::Sum => {}
    }
}

/// A column can hold the value, and an index can order it.
#[track_caller]
pub const fn promoted(ty: ScalarType) {
    assert!(
        !same(ty.graphql, "JSON"),
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
