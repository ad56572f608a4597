//! Where the answers differ, and why that is left so. Each excuse is for exactly one difference,
//! and is counted.

use serde_json::Value;

use crate::compare::{Answer, Case, same_errors};

/// What differs, who is right, why it is left; and how it is known.
type Excuse = (&'static str, fn(&Case, &Answer, &Answer) -> bool);

const EXCUSES: &[Excuse] = &[
    (
        "Int has 64 bits: columns of int8 are Int. Against the specification, as chosen",
        |_, ours, theirs| {
            let wide = |message: &str| {
                message.contains("Int cannot represent non 32-bit signed integer value")
            };
            ours.valid && !theirs.valid && theirs.errors.iter().all(|one| wide(&one.message))
        },
    ),
    (
        "{a: 1, a: 2} is {a: 2}: the library's parser keeps one of two fields of an input object. \
         The specification refuses it",
        |_, ours, theirs| {
            let twice = "There can be only one input field named";
            ours.valid
                && !theirs.valid
                && theirs
                    .errors
                    .iter()
                    .all(|one| one.message.starts_with(twice))
        },
    ),
    (
        "an object of which nothing is selected, and that is no document, is null: by the library, \
         which also loses another selection of it. The specification has {}",
        |_, ours, theirs| {
            let (Some(mine), Some(other)) = (&ours.data, &theirs.data) else {
                return false;
            };
            let mine: Value = serde_json::from_str(mine).unwrap();
            let other: Value = serde_json::from_str(other).unwrap();
            ours.valid && theirs.valid && same_but_empty(&mine, &other) && same_errors(ours, theirs)
        },
    ),
    (
        "null for a variable that has a default, where null cannot be: the library refuses the \
         request, in the specification the field fails",
        |_, ours, theirs| {
            !ours.valid
                && ours
                    .errors
                    .iter()
                    .all(|one| one.message.starts_with("Invalid value for argument"))
                && theirs.valid
                && theirs
                    .errors
                    .iter()
                    .any(|one| one.message.contains("must not be null"))
        },
    ),
    (
        "a comment between `on` and a type: the library's parser takes space only there",
        |case, ours, _| {
            !ours.valid
                && case.made == "space"
                && case.asked.query.contains("on #")
                && ours.errors[0].message.contains("-->")
        },
    ),
];

/// Why this answer may be unlike the oracle's.
pub(crate) fn of(case: &Case, ours: &Answer, theirs: &Answer) -> Option<&'static str> {
    let mut excuses = EXCUSES.iter();
    let found = excuses.find(|(_, is)| is(case, ours, theirs));
    found.map(|(excuse, _)| *excuse)
}

/// Whether all that differs is null for `{}`.
fn same_but_empty(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Null, Value::Object(theirs)) => theirs.is_empty(),
        (Value::Object(ours), Value::Object(theirs)) => {
            ours.len() == theirs.len()
                && ours
                    .iter()
                    .zip(theirs)
                    .all(|((one, ours), (other, theirs))| {
                        one == other && same_but_empty(ours, theirs)
                    })
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len()
                && ours
                    .iter()
                    .zip(theirs)
                    .all(|(ours, theirs)| same_but_empty(ours, theirs))
        }
        (ours, theirs) => ours == theirs,
    }
}
