//! Where the answers differ, and why that is left so. Each excuse is for exactly one difference,
//! and is counted.

use serde_json::Value;

use crate::graphql::oracle::compare::{Answer, Case, Told, paths};

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
                    .any(|one| one.message.starts_with(twice))
        },
    ),
    (
        "null for a variable whose default let it stand where null cannot be: the library \
         refuses the request, or on `__typename` takes null for false. In the specification the \
         field fails",
        |case, ours, theirs| {
            let refused = |one: &Told| one.message.starts_with("Invalid value for argument");
            let fails = |one: &Told| {
                one.message.contains(" of non-null type ")
                    && one.message.ends_with(" must not be null.")
            };
            let null = case.asked.variables.values().any(Value::is_null)
                || case.asked.query.contains("= null");
            null && (ours.errors.iter().any(refused) || theirs.errors.iter().any(fails))
        },
    ),
    (
        "a document below an interface or a union that is selected twice, and fails in one of the \
         two, is answered with the other: the library resolves them apart. The specification has \
         null. Such documents are not stored",
        |_, ours, theirs| {
            let (Some(mine), Some(other)) = (&ours.data, &theirs.data) else {
                return false;
            };
            let mine: Value = serde_json::from_str(mine).unwrap();
            let other: Value = serde_json::from_str(other).unwrap();
            let failed = |one: &Told| match &one.path {
                // In an item of `things` or `found`, by whatever name.
                Some(Value::Array(path)) => path.len() > 3 && path[1].is_number(),
                _ => false,
            };
            ours.errors.iter().any(failed)
                && paths(&theirs.errors)
                    .iter()
                    .all(|path| paths(&ours.errors).contains(path))
                && same_but_failed(&mine, &other)
        },
    ),
    (
        "an operation that is not the one to be run: the library checks it with the variables of \
         the other, and refuses a mutation or subscription where there are none. In the \
         specification the other is run",
        |case, ours, theirs| {
            case.asked.operation.is_some()
                && !ours.valid
                && theirs.valid
                && ours.errors.iter().all(|one| {
                    one.message.starts_with("Invalid value for argument")
                        || one.message.starts_with("Schema is not configured for")
                        // Behind such an operation the library looks no further.
                        || one.message.ends_with("is never used")
                })
        },
    ),
    (
        "2.0 is no Int and no ID. The specification leaves it to the server",
        |_, ours, theirs| {
            !ours.valid && theirs.valid && ours.errors[0].message.ends_with("found 2.0.")
        },
    ),
    (
        "a fragment on a union within an object of the union is left out by the library. In the \
         specification it applies",
        |case, ours, theirs| {
            let (Some(mine), Some(other)) = (&ours.data, &theirs.data) else {
                return false;
            };
            let mine: Value = serde_json::from_str(mine).unwrap();
            let other: Value = serde_json::from_str(other).unwrap();
            case.asked.query.contains("Found") && same_but_less(&mine, &other)
        },
    ),
    (
        "a comment between `on` and a type: the library's parser takes space only there",
        |case, ours, _| {
            !ours.valid
                && case.made == "space"
                && case.asked.query.contains("on #")
                && (ours.errors[0].message.contains("-->")
                    || ours.errors[0]
                        .message
                        .starts_with("Unknown fragment: \"on\""))
        },
    ),
];

/// Why this answer may be unlike the oracle's.
pub(crate) fn of(case: &Case, ours: &Answer, theirs: &Answer) -> Option<&'static str> {
    let mut excuses = EXCUSES.iter();
    let found = excuses.find(|(_, is)| is(case, ours, theirs));
    found.map(|(excuse, _)| *excuse)
}

/// Whether all that differs is an object where there should be null.
fn same_but_failed(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Object(_), Value::Null) => true,
        (Value::Object(ours), Value::Object(theirs)) => {
            ours.len() == theirs.len()
                && ours
                    .iter()
                    .zip(theirs)
                    .all(|((one, ours), (other, theirs))| {
                        one == other && same_but_failed(ours, theirs)
                    })
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len()
                && ours
                    .iter()
                    .zip(theirs)
                    .all(|(ours, theirs)| same_but_failed(ours, theirs))
        }
        (ours, theirs) => ours == theirs,
    }
}

/// Whether all that differs is that names of a type are not there.
fn same_but_less(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            ours.keys().all(|name| theirs.contains_key(name))
                && theirs.iter().all(|(name, theirs)| match ours.get(name) {
                    Some(ours) => same_but_less(ours, theirs),
                    None => theirs == "Shelf" || theirs == "Crate",
                })
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len()
                && ours
                    .iter()
                    .zip(theirs)
                    .all(|(ours, theirs)| same_but_less(ours, theirs))
        }
        (ours, theirs) => ours == theirs,
    }
}
