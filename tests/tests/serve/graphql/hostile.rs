//! Tests that hostile queries are answered or refused in bounded time, and that the schema keeps
//! working.

use std::time::{Duration, Instant};

use async_graphql::{EmptyMutation, EmptySubscription, Request, Schema, Variables};
use fraiseql_graphql::{Prepared, Query};
use fraiseql_runtime::TView;
use fraiseql_tests::{pool, run, world};
use serde_json::{Value, json};
use uuid::Uuid;

#[derive(TView)]
#[tview(table = "tb_note")]
pub(crate) struct Note {
    pub(crate) id: Uuid,
    #[tview(filter, sort)]
    pub(crate) title: String,
    #[tview(filter, sort)]
    pub(crate) stars: Option<i32>,
    #[tview(filter, sort)]
    pub(crate) size: i64,
    #[tview(filter)]
    pub(crate) weight: f64,
    #[tview(filter)]
    pub(crate) written_at: chrono::DateTime<chrono::Utc>,
}

const TABLES: &str = "
    CREATE TABLE tb_note (id uuid PRIMARY KEY, title text NOT NULL, stars int4, size int8 NOT NULL,
        weight float8 NOT NULL, written_at timestamptz NOT NULL);
    INSERT INTO tb_note
    SELECT lpad(n::text, 32, '0')::uuid, 'Note ' || n, n, n, n, timestamptz '2026-01-01Z'
    FROM generate_series(1, 3) n;";

type Served = Schema<Query<(Note,)>, EmptyMutation, EmptySubscription>;

/// Far longer than any of them takes, even in an unoptimized build.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// The expected outcome of a request.
enum Expected {
    /// An error that contains this text.
    Error(&'static str),
    /// No error, and an empty list of notes.
    Nothing,
}
use Expected::{Error, Nothing};

async fn served() -> (Served, sqlx::PgPool) {
    let pool = pool().await;
    run(&pool, TABLES).await;
    let model = world::model::<Note>();
    model.migrate(&pool).await.unwrap();
    sync_all_notes(&pool).await.unwrap();
    let schema = Schema::build(
        Query::<(Note,)>::new(pool.clone()),
        EmptyMutation,
        EmptySubscription,
    )
    .extension(Prepared::default())
    .finish();
    (schema, pool)
}

async fn assert_outcome(schema: &Served, name: &str, request: Request, expected: &Expected) {
    let begun = Instant::now();
    let answer = schema.execute(request).await;
    assert!(
        begun.elapsed() < TIME_LIMIT,
        "{name}: {:?}",
        begun.elapsed()
    );
    match expected {
        Error(text) => {
            let error = &answer
                .errors
                .first()
                .unwrap_or_else(|| panic!("{name}: no error"));
            assert!(error.message.contains(text), "{name}: {}", error.message);
            assert!(error.message.len() < 2_000, "{name}: a long message");
            assert!(error.source.is_none(), "{name}: {:?}", error.message);
            assert!(answer.errors.len() <= 100, "{name}");
        }
        Nothing => {
            assert_eq!(answer.errors, [], "{name}");
            assert_eq!(
                serde_json::to_value(&answer.data).unwrap(),
                json!({"notes": []}),
                "{name}"
            );
        }
    }
    let alive = schema.execute("{ notes { title } }").await;
    assert_eq!(alive.errors, [], "after {name}");
    let alive = serde_json::to_value(&alive.data).unwrap();
    assert_eq!(alive["notes"].as_array().unwrap().len(), 3, "after {name}");
}

#[tokio::test]
async fn hostile_queries_are_refused_in_bounded_time() {
    let (schema, pool) = served().await;
    let many =
        |count: usize, text: &dyn Fn(usize) -> String| -> String { (0..count).map(text).collect() };
    let megabyte = "x".repeat(1 << 20);
    for (name, query, expected) in [
        ("nothing", String::new(), Error("expected")),
        (
            "a depth of 10,000",
            "{ notes ".repeat(10_000) + &"}".repeat(10_000),
            Error(""),
        ),
        (
            "lists of a depth of 10,000",
            format!(
                "{{ notes(where: {}{}) {{ id }} }}",
                "[".repeat(10_000),
                "]".repeat(10_000)
            ),
            Error(""),
        ),
        (
            "objects of a depth of 10,000",
            format!(
                "{{ notes(where: {}{{}}{}) {{ id }} }}",
                "{not: ".repeat(10_000),
                "}".repeat(10_000)
            ),
            Error(""),
        ),
        (
            "a type of a depth of 10,000",
            format!(
                "query ($a: {}Int{}) {{ notes(limit: $a) {{ id }} }}",
                "[".repeat(10_000),
                "]".repeat(10_000)
            ),
            Error(""),
        ),
        (
            "10,000 aliases",
            format!(
                "{{ {} }}",
                many(10_000, &|n| format!("a{n}: notes {{ id }} "))
            ),
            Error("the document has more than"),
        ),
        (
            "10,000 times one field",
            format!("{{ notes {{ {} }} }}", "title ".repeat(10_000)),
            Error("the document has more than"),
        ),
        (
            "10,000 directives",
            format!("{{ notes {{ id {} }} }}", "@skip(if: true) ".repeat(10_000)),
            Error("the document has more than"),
        ),
        (
            "10,000 arguments",
            format!(
                "{{ notes({}) {{ id }} }}",
                many(10_000, &|n| format!("a{n}: 1 "))
            ),
            Error("the document has more than"),
        ),
        (
            "10,000 variables",
            format!(
                "query ({}) {{ notes {{ id }} }}",
                many(10_000, &|n| format!("$a{n}: Int "))
            ),
            Error("the document has more than"),
        ),
        (
            "1,000 fragments, each in the one before",
            format!(
                "{{ ...F0 }} {} fragment F1000 on Query {{ notes {{ id }} }}",
                many(1_000, &|n| format!(
                    "fragment F{n} on Query {{ ...F{} }} ",
                    n + 1
                ))
            ),
            Error("the document has more than"),
        ),
        (
            "1,000 fragments, each in the one before, that are not used",
            format!(
                "{{ notes {{ id }} }} {} fragment F1000 on Query {{ notes {{ id }} }}",
                many(1_000, &|n| format!(
                    "fragment F{n} on Query {{ ...F{} }} ",
                    n + 1
                ))
            ),
            Error("the document has more than"),
        ),
        (
            "100 fragments, each twice in the next",
            format!(
                "{{ ...F0 }} {} fragment F100 on Query {{ notes {{ id }} }}",
                many(100, &|n| format!(
                    "fragment F{n} on Query {{ ...F{} ...F{} }} ",
                    n + 1,
                    n + 1
                ))
            ),
            Error("the document has more than"),
        ),
        (
            "a cycle of 100 fragments",
            format!(
                "{{ ...F0 }} {}",
                many(100, &|n| format!(
                    "fragment F{n} on Query {{ ...F{} }} ",
                    (n + 1) % 100
                ))
            ),
            Error("the document has more than"),
        ),
        (
            "a filter of 300 conditions",
            format!(
                "{{ notes(where: {{or: [{}]}}) {{ id }} }}",
                many(300, &|n| format!("{{size: {{eq: {n}}}}} "))
            ),
            Error("conditions in a filter"),
        ),
        (
            "a huge number",
            "{ notes(limit: 99999999999999999999999999) { id } }".to_owned(),
            Error("int cannot represent"),
        ),
        (
            "the smallest number of 64 bits",
            "{ notes(limit: -9223372036854775808) { id } }".to_owned(),
            Error("int cannot represent"),
        ),
        (
            "a huge offset",
            "{ notes(offset: 2147483647) { id } }".to_owned(),
            Nothing,
        ),
        (
            "a number beyond a column",
            "{ notes(where: {stars: {eq: 9223372036854775807}}) { id } }".to_owned(),
            Error("int cannot represent"),
        ),
        (
            "a float beyond all",
            "{ notes(where: {weight: {eq: 1e999}}) { id } }".to_owned(),
            Error(""),
        ),
        (
            "a time out of range",
            "{ notes(where: {writtenAt: {gt: \"999999-01-01T00:00:00Z\"}}) { id } }".to_owned(),
            Error("`writtenAt` cannot be compared with"),
        ),
        (
            "a megabyte in a filter",
            format!("{{ notes(where: {{title: {{eq: \"{megabyte}\"}}}}) {{ id }} }}"),
            Error("`title` cannot be compared with"),
        ),
        (
            "a megabyte as a cursor",
            format!("{{ notesConnection(after: \"{megabyte}\") {{ nodes {{ id }} }} }}"),
            Error("cursor"),
        ),
        (
            "a megabyte as a key",
            format!("{{ note(id: \"{megabyte}\") {{ id }} }}"),
            Error("`id` cannot be compared with"),
        ),
        (
            "a megabyte as a field",
            format!("{{ {megabyte} }}"),
            Error("a name or number is longer than"),
        ),
        (
            "long names that are not known",
            format!("{{ {} }}", many(2_000, &|n| format!("{n:a>250} "))),
            Error("does not have a field"),
        ),
        (
            "half a surrogate",
            r#"{ notes(where: {title: {eq: "\ud83d"}}) { id } }"#.to_owned(),
            Error(""),
        ),
        (
            "a pair of surrogates",
            r#"{ notes(where: {title: {eq: "\ud83d\ude00"}}) { id } }"#.to_owned(),
            Nothing,
        ),
    ] {
        assert_outcome(&schema, name, Request::new(query), &expected).await;
    }
    pool.close().await;
}

/// Strings with a special meaning to some parser.
fn strings() -> Vec<String> {
    let mut all: Vec<String> = [
        "'; DROP TABLE tb_note; --",
        "\" OR \"\"=\"",
        "$1",
        "{}",
        "\\",
        "%",
        "_",
        "\u{0}",
        "a\u{0}b",
        "\u{1}\u{7f}",
        "😀",
        "\u{fffe}\u{ffff}",
        "e\u{301}\u{202e}",
        "null",
        "NaN",
        "infinity",
        "-infinity",
        "now",
        "epoch",
        "2026-02-30T00:00:00Z",
        "2026-01-01",
        "00000000-0000-0000-0000-00000000000g",
        "{00000000-0000-0000-0000-000000000099}",
        "AA==",
        "AQAAAA",
        "////",
        "AQ AA",
    ]
    .map(str::to_owned)
    .to_vec();
    all.push("🦀".repeat(100_000));
    all
}

#[tokio::test]
async fn hostile_strings_are_values_or_refused_in_every_argument() {
    let (schema, pool) = served().await;
    let (mut answered, mut refused) = (0, 0);
    for text in strings() {
        for query in [
            "query ($x: ID!) { note(id: $x) { title } }",
            "query ($x: ID) { notes(where: {id: {eq: $x}}) { title } }",
            "query ($x: ID!) { notes(where: {id: {in: [$x]}}) { title } }",
            "query ($x: String) { notes(where: {title: {eq: $x}}) { title } }",
            "query ($x: String) { notes(where: {title: {lt: $x, gt: $x}}) { title } }",
            "query ($x: String!) { notes(where: {title: {in: [$x]}}) { title } }",
            "query ($x: String) { notes(where: {title: {like: $x, eq: \"\"}}) { title } }",
            "query ($x: String) { notes(where: {title: {ilike: $x, eq: \"\"}}) { title } }",
            "query ($x: DateTime) { notes(where: {writtenAt: {eq: $x}}) { title } }",
            "query ($x: String) { notesConnection(after: $x) { nodes { title } } }",
            "query ($x: String) { notesConnection(last: 1, before: $x) { nodes { title } } }",
            "query ($x: NoteWhere) { notes(where: $x) { title } }",
            "query ($x: [NoteOrderBy!]) { notes(orderBy: $x) { title } }",
            "query ($x: OrderDirection!) { notes(orderBy: {title: $x}) { title } }",
            "query ($x: Int) { notes(where: {size: {eq: $x}}) { title } }",
            "query ($x: Float) { notes(where: {weight: {eq: $x}}) { title } }",
            "query ($x: Boolean) { notes(where: {stars: {isNull: $x}}) { title } }",
        ] {
            let request = Request::new(query).variables(Variables::from_json(json!({"x": text})));
            let begun = Instant::now();
            let answer = schema.execute(request).await;
            let shown: String = text.chars().take(40).collect();
            assert!(begun.elapsed() < TIME_LIMIT, "{query} {shown:?}");
            if answer.errors.is_empty() {
                answered += 1;
                let answer = serde_json::to_value(&answer.data).unwrap();
                let found = answer.as_object().unwrap().values().next().unwrap();
                assert!(
                    *found == Value::Null || *found == json!([]),
                    "{query} {shown:?}: {found}"
                );
                continue;
            }
            refused += 1;
            for error in &answer.errors {
                // Errors of the database have a source; a hostile query must not cause one.
                assert!(
                    error.source.is_none(),
                    "{query} {shown:?}: {}",
                    error.message
                );
                assert!(error.message.len() < 2_000, "{query}: a long message");
                assert!(!error.message.contains("tv_note"), "{}", error.message);
            }
        }
    }
    assert!(answered > 100 && refused > 100, "{answered} {refused}");
    let alive = schema.execute("{ notes { title } }").await;
    assert_eq!(alive.errors, []);
    pool.close().await;
}

#[tokio::test]
async fn validation_takes_bounded_time_for_queries_within_the_limits() {
    let (schema, pool) = served().await;
    let many =
        |count: usize, text: &dyn Fn(usize) -> String| -> String { (0..count).map(text).collect() };
    let nested = |depth: usize, inner: &str| {
        let set = format!("__typename {inner} ...F0 ...F0");
        (0..depth).fold(set.clone(), |within, _| {
            format!("... {{ {within} }} {inner}")
        })
    };
    for (name, query) in [
        (
            "one field thousands of times",
            format!("{{ notes {{ {} }} }}", "title ".repeat(4_500)),
        ),
        (
            "one object hundreds of times",
            format!("{{ {} }}", "notes { title ...on Note { id } } ".repeat(800)),
        ),
        (
            "conflicts of each field with each other",
            format!(
                "{{ notes {{ {} }} }}",
                many(490, &|n| format!("a: {} ", ["id", "title", "size"][n % 3]))
            ),
        ),
        (
            "fragments within fragments",
            format!(
                "{{ {} }} {} fragment F6 on Query {{ notes {{ id }} }}",
                nested(8, "notes { title }"),
                many(6, &|n| format!(
                    "fragment F{n} on Query {{ ...F{next} ...F{next} notes {{ title }} }} ",
                    next = n + 1
                ))
            ),
        ),
        (
            "many variables, each used in each argument",
            format!(
                "query ({}) {{ notes(where: {{or: [{}]}}) {{ id }} }}",
                many(600, &|n| format!("$a{n}: Int ")),
                many(600, &|n| format!("{{size: {{eq: $a{n}}}}} "))
            ),
        ),
        (
            "a long list",
            format!(
                "{{ notes(where: {{title: {{in: [{}]}}}}) {{ id }} }}",
                "\"a\" ".repeat(9_000)
            ),
        ),
        (
            "a large object of unknown fields",
            format!(
                "{{ notes(where: {{{}}}) {{ id }} }}",
                many(3_000, &|n| format!("a{n}: 1 "))
            ),
        ),
        (
            "a megabyte of commas",
            format!("{{ notes {{ id }} {} }}", ",".repeat(1 << 20)),
        ),
        (
            "a megabyte of comments",
            format!("{{ notes {{ id }} {} }}", "#\n".repeat(1 << 19)),
        ),
        (
            "a megabyte on one line, with other characters",
            format!(
                "{{ notes(where: {{title: {{in: [{}]}}}}) {{ id }} }}",
                "\"😀😀😀😀😀😀😀😀😀\" ".repeat(9_000)
            ),
        ),
    ] {
        let begun = Instant::now();
        let answer = schema.execute(query).await;
        assert!(
            begun.elapsed() < TIME_LIMIT,
            "{name}: {:?}",
            begun.elapsed()
        );
        assert!(answer.errors.len() <= 100, "{name}");
        println!(
            "{name}: {:?}, {:?}",
            begun.elapsed(),
            answer.errors.first().map(|e| &e.message)
        );
    }
    pool.close().await;
}
