//! JSON of the user, in a field of type `serde_json::Value`: which of it cannot be read again.
//!
//! The type `json` keeps its text. That may have half of a surrogate pair, `"\ud800"`, which is no
//! character, and which neither `jsonb` nor serde accepts. And serde reads at most 127 levels of
//! arrays and objects, with those of the document around the value.

use crate::sql::text::literal;

/// The levels of arrays and objects that serde_json reads.
const MAX_LEVELS: usize = 127;

/// The type `json`.
const JSON: u32 = 114;

/// The values that are rejected, each with the reason. `levels` is the number of objects and arrays
/// around the value.
pub(super) fn rejected(value: &str, levels: usize) -> [(String, &'static str); 2] {
    let is_json = format!("pg_catalog.pg_typeof({value}) = {JSON}::pg_catalog.regtype");
    let text = format!("{value}::text");
    let escape = literal(r"\u");
    // Without backslashes that are characters, every `\u` is an escape.
    let escapes = format!("pg_catalog.replace({text}, {}, '')", literal(r"\\"));
    let pair = literal(r"\\u[dD][89abAB]..\\u[dD][c-fC-F]..");
    let half = literal(r"\\u[dD][89a-fA-F]");
    let surrogate = format!(
        "{is_json} AND pg_catalog.strpos({text}, {escape}) > 0\n    \
         AND pg_catalog.regexp_replace({escapes}, {pair}, '', 'g') ~ {half}"
    );
    let most = MAX_LEVELS - levels;
    let path = format!("strict $.**{{{most}}} ? (@.type() == \"array\" || @.type() == \"object\")");
    let path = literal(&path);
    // `jsonb` has no U+0000.
    let parsed = format!(
        "pg_catalog.replace({escapes}, {}, '')::jsonb",
        literal(r"\u0000")
    );
    let deep = format!(
        "CASE\n      WHEN NOT {is_json} THEN pg_catalog.jsonb_path_exists({value}::jsonb, {path})\n      \
         WHEN pg_catalog.length({text}) > {} THEN pg_catalog.jsonb_path_exists({parsed}, {path})\n    END",
        2 * most
    );
    [
        (surrogate, "has half of a surrogate pair"),
        (
            deep,
            "has more levels of arrays and objects than can be read",
        ),
    ]
}
