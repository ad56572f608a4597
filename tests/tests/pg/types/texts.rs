//! Tests texts, UUIDs and JSON in every position of a document.

use std::fmt::Debug;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::types::row::{Row, check, thing};

thing!(text: String, ordered);
thing!(long_text: String, plain);
thing!(uuid_value: Uuid, promoted);
thing!(json_value: Value, plain);

const SAME: &str = "v.value IS NOT DISTINCT FROM t.value";

fn edges() -> Vec<String> {
    [
        "",
        " ",
        "it's \"quoted\"",
        r"C:\new\table \\ \u0041",
        "line\nline\r\n\ttab",
        "\u{1}\u{7f}\u{80}\u{feff}\u{2028}",
        "👩‍👩‍👧‍👦 né",
        "{\"a\": [1, null]}",
        "null",
        "[]",
        "{}",
        "{a,b}",
        "NULL",
        "$1 {} %s ${x}",
        "\u{10ffff}\u{fffd}",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// PostgreSQL has no U+0000.
pub(crate) fn any_text() -> BoxedStrategy<String> {
    any::<String>()
        .prop_map(|text| text.replace('\0', "0"))
        .boxed()
}

fn row<T: Clone + Debug>(
    sql: &'static str,
    before: &'static str,
    text: fn(&T) -> String,
    edges: Vec<T>,
    any: BoxedStrategy<T>,
) -> Row<T> {
    Row {
        sql,
        before,
        text,
        promoted: SAME,
        same: |_, _| false,
        cases: 10,
        edges,
        any,
    }
}

#[test]
fn a_string_is_text() {
    let row = row("text", "", String::clone, edges(), any_text());
    check::<_, text::Jsonb, text::Json>(row);
}

#[test]
fn a_string_of_a_megabyte_is_text() {
    let long = "🐘\\\"\n".repeat(160_000);
    let row = Row {
        // An index entry is limited to 2,700 bytes, so longer values cannot be promoted.
        promoted: "true",
        cases: 0,
        ..row(
            "text",
            "",
            String::clone,
            vec![long],
            Just(String::new()).boxed(),
        )
    };
    check::<_, long_text::Jsonb, long_text::Json>(row);
}

#[test]
fn a_string_is_varchar() {
    let short = any_text().prop_map(|text| text.chars().take(20).collect());
    let row = row("varchar(40)", "", String::clone, edges(), short.boxed());
    check::<_, text::Jsonb, text::Json>(row);
}

#[test]
fn a_string_is_a_name() {
    let short = any_text().prop_map(|text| text.chars().take(15).collect());
    let row = row("name", "", String::clone, edges(), short.boxed());
    check::<_, text::Jsonb, text::Json>(row);
}

#[test]
fn a_string_is_citext() {
    let has = "DO $$ BEGIN CREATE EXTENSION citext; \
        EXCEPTION WHEN OTHERS THEN CREATE DOMAIN citext AS text; RAISE WARNING 'no citext'; END $$";
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let missing = runtime.block_on(async {
        let pool = fraiseql_tests::pool().await;
        let extension: Option<i32> =
            sqlx::query_scalar("SELECT 1 FROM pg_available_extensions WHERE name = 'citext'")
                .fetch_optional(&pool)
                .await
                .unwrap();
        extension.is_none()
    });
    if missing {
        eprintln!("SKIPPED citext: this server does not have the extension; a domain instead");
    }
    let row = Row {
        // They are compared as the types that they have in their tables.
        promoted: "v.value = t.value::text",
        ..row("public.citext", has, String::clone, edges(), any_text())
    };
    check::<_, text::Jsonb, text::Json>(row);
}

#[test]
fn a_string_is_a_domain_over_text() {
    let domain = "CREATE DOMAIN email AS text CHECK (VALUE <> 'nobody')";
    let row = row("public.email", domain, String::clone, edges(), any_text());
    check::<_, text::Jsonb, text::Json>(row);
}

#[test]
fn a_string_is_char_with_its_padding() {
    let padded = proptest::string::string_regex("[a-zé]{0,8}")
        .unwrap()
        .prop_map(|text| format!("{text:8}"));
    let edges = vec!["        ".to_owned(), "abcdefgh".to_owned()];
    let row = Row {
        // As text, the padding is gone.
        promoted: "v.value = t.value::text",
        ..row("char(8)", "", String::clone, edges, padded.boxed())
    };
    check::<_, text::Jsonb, text::Json>(row);
}

#[test]
fn a_string_is_inet() {
    let any = any::<[u8; 4]>().prop_map(|octets| std::net::Ipv4Addr::from(octets).to_string());
    let edges = ["10.0.0.0/8", "::1", "fe80::/10", "255.255.255.255"].map(str::to_owned);
    let row = Row {
        promoted: "v.value::inet = t.value",
        ..row("inet", "", String::clone, edges.to_vec(), any.boxed())
    };
    check::<_, text::Jsonb, text::Json>(row);
}

#[test]
fn a_uuid_is_uuid() {
    let any = any::<u128>().prop_map(Uuid::from_u128).boxed();
    let row = row(
        "uuid",
        "",
        Uuid::to_string,
        vec![Uuid::nil(), Uuid::max()],
        any,
    );
    check::<_, uuid_value::Jsonb, uuid_value::Json>(row);
}

fn json_edges() -> Vec<Value> {
    let mut deep = json!(1);
    for _ in 0..60 {
        deep = json!({ "a": [deep] });
    }
    let text = json!(edges());
    vec![
        json!(true),
        json!(0),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(1.5),
        json!(f64::MIN_POSITIVE),
        json!(""),
        json!([]),
        json!({}),
        json!([null]),
        json!({ "snake_case": { "": null, "__x": 1, "é\n\"": "\u{1}" } }),
        text,
        deep,
    ]
}

fn any_json() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e6..1e6).prop_map(Value::from),
        any_text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        let nullable = prop_oneof![3 => inner, 1 => Just(Value::Null)];
        prop_oneof![
            vec(nullable.clone(), 0..5).prop_map(Value::from),
            btree_map(any_text(), nullable, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
    .boxed()
}

#[test]
fn a_value_is_jsonb() {
    let row = Row {
        promoted: "true",
        ..row("jsonb", "", Value::to_string, json_edges(), any_json())
    };
    check::<_, json_value::Jsonb, json_value::Json>(row);
}

#[test]
fn a_value_is_json() {
    // As people write JSON.
    let text = |value: &Value| serde_json::to_string_pretty(value).unwrap();
    let row = Row {
        promoted: "true",
        ..row("json", "", text, json_edges(), any_json())
    };
    check::<_, json_value::Jsonb, json_value::Json>(row);
}
