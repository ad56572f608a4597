//! Where the answers differ, and why that is left so. Each excuse is for exactly one difference,
//! and is counted.

use serde_json::Value;

use crate::compare::{Answer, Case};

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
        "null for a variable whose default let it stand where null cannot be: in @skip and \
         @include the library refuses the request, or takes it for false on `__typename`. In the \
         specification the selection fails",
        |case, ours, theirs| {
            let refused = "Invalid value for argument \"if\", expected type \"Boolean\"";
            let fails = "Argument \"if\" of non-null type \"Boolean!\" must not be null.";
            case.asked.variables.values().any(Value::is_null)
                && (ours.errors.iter().any(|one| one.message == refused)
                    || theirs.errors.iter().any(|one| one.message == fails))
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
