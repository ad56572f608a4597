//! The accepted differences between the responses, with the reason for each. An excuse matches
//! exactly one difference, and is counted.

use serde_json::Value;

use crate::graphql::oracle::compare::{Case, Outcome, ReportedError, paths};

/// What differs, which side is right, and why it is accepted; and how it is recognized.
type Excuse = (&'static str, fn(&Case, &Outcome, &Outcome) -> bool);

const EXCUSES: &[Excuse] = &[
    (
        "Int has 64 bits, because columns of int8 are Int. This deviates from the specification on \
         purpose",
        |_, actual, expected| {
            let wide = |message: &str| {
                message.contains("Int cannot represent non 32-bit signed integer value")
            };
            actual.valid && !expected.valid && expected.errors.iter().all(|one| wide(&one.message))
        },
    ),
    (
        "{a: 1, a: 2} is {a: 2}: async-graphql's parser keeps the last of two fields of an input \
         object. The specification refuses it",
        |_, actual, expected| {
            let twice = "There can be only one input field named";
            actual.valid
                && !expected.valid
                && expected
                    .errors
                    .iter()
                    .any(|one| one.message.starts_with(twice))
        },
    ),
    (
        "null for a nullable variable with a default, used where null is not allowed: async-graphql \
         refuses the request, or on `__typename` reads null as false. In the specification the \
         field fails",
        |case, actual, expected| {
            let refused =
                |one: &ReportedError| one.message.starts_with("Invalid value for argument");
            let fails = |one: &ReportedError| {
                one.message.contains(" of non-null type ")
                    && one.message.ends_with(" must not be null.")
            };
            let null = case.request.variables.values().any(Value::is_null)
                || case.request.query.contains("= null");
            null && (actual.errors.iter().any(refused) || expected.errors.iter().any(fails))
        },
    ),
    (
        "a document below an interface or a union is selected twice, and one of the two fails: the \
         response has the other, because async-graphql resolves them separately. The \
         specification has null. Such documents are not stored",
        |_, actual, expected| {
            let (Some(data), Some(expected_data)) = (&actual.data, &expected.data) else {
                return false;
            };
            let data: Value = serde_json::from_str(data).unwrap();
            let expected_data: Value = serde_json::from_str(expected_data).unwrap();
            let failed = |one: &ReportedError| match &one.path {
                // In an item of `things` or `found`, whatever its alias.
                Some(Value::Array(path)) => path.len() > 3 && path[1].is_number(),
                _ => false,
            };
            actual.errors.iter().any(failed)
                && paths(&expected.errors)
                    .iter()
                    .all(|path| paths(&actual.errors).contains(path))
                && same_but_failed(&data, &expected_data)
        },
    ),
    (
        "an operation that is not the selected one: async-graphql validates it with the variables \
         of the selected one, and refuses a mutation or subscription if the schema has none. In \
         the specification the selected one is executed",
        |case, actual, expected| {
            case.request.operation.is_some()
                && !actual.valid
                && expected.valid
                && actual.errors.iter().all(|one| {
                    one.message.starts_with("Invalid value for argument")
                        || one.message.starts_with("Schema is not configured for")
                        // async-graphql stops validating after such an operation.
                        || one.message.ends_with("is never used")
                })
        },
    ),
    (
        "2.0 is neither an Int nor an ID. The specification leaves it to the server",
        |_, actual, expected| {
            !actual.valid && expected.valid && actual.errors[0].message.ends_with("found 2.0.")
        },
    ),
    (
        "async-graphql ignores a fragment on a union within an object of the union. In the \
         specification it applies",
        |case, actual, expected| {
            let (Some(data), Some(expected_data)) = (&actual.data, &expected.data) else {
                return false;
            };
            let data: Value = serde_json::from_str(data).unwrap();
            let expected_data: Value = serde_json::from_str(expected_data).unwrap();
            case.request.query.contains("Found") && same_but_less(&data, &expected_data)
        },
    ),
    (
        "a comment between `on` and a type: async-graphql's parser accepts only whitespace there",
        |case, actual, _| {
            !actual.valid
                && case.origin == "space"
                && case.request.query.contains("on #")
                && (actual.errors[0].message.contains("-->")
                    || actual.errors[0]
                        .message
                        .starts_with("Unknown fragment: \"on\""))
        },
    ),
];

/// Returns the excuse for a response that differs from the oracle's.
pub(crate) fn of(case: &Case, actual: &Outcome, expected: &Outcome) -> Option<&'static str> {
    let mut excuses = EXCUSES.iter();
    let found = excuses.find(|(_, is)| is(case, actual, expected));
    found.map(|(excuse, _)| *excuse)
}

/// Whether the only difference is an object in place of null.
fn same_but_failed(actual: &Value, expected: &Value) -> bool {
    match (actual, expected) {
        (Value::Object(_), Value::Null) => true,
        (Value::Object(actual), Value::Object(expected)) => {
            actual.len() == expected.len()
                && actual
                    .iter()
                    .zip(expected)
                    .all(|((one, actual), (other, expected))| {
                        one == other && same_but_failed(actual, expected)
                    })
        }
        (Value::Array(actual), Value::Array(expected)) => {
            actual.len() == expected.len()
                && actual
                    .iter()
                    .zip(expected)
                    .all(|(actual, expected)| same_but_failed(actual, expected))
        }
        (actual, expected) => actual == expected,
    }
}

/// Whether the only difference is that names of a type are missing.
fn same_but_less(actual: &Value, expected: &Value) -> bool {
    match (actual, expected) {
        (Value::Object(actual), Value::Object(expected)) => {
            actual.keys().all(|name| expected.contains_key(name))
                && expected
                    .iter()
                    .all(|(name, expected)| match actual.get(name) {
                        Some(actual) => same_but_less(actual, expected),
                        None => expected == "Shelf" || expected == "Crate",
                    })
        }
        (Value::Array(actual), Value::Array(expected)) => {
            actual.len() == expected.len()
                && actual
                    .iter()
                    .zip(expected)
                    .all(|(actual, expected)| same_but_less(actual, expected))
        }
        (actual, expected) => actual == expected,
    }
}
