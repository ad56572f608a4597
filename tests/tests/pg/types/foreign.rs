//! Tests values that the database can store and Rust types cannot represent: domains, arrays with
//! dimensions, other JSON.

use fraiseql_runtime::{Error, ReadModel, TView};
use fraiseql_tests::world;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::types::row::{Row, check, thing};

thing!(percent: i32, ordered);

#[test]
fn a_number_is_a_domain_over_int4() {
    let row = Row {
        sql: "public.percent",
        before: "CREATE DOMAIN percent AS int4 CHECK (VALUE BETWEEN 0 AND 100)",
        text: i32::to_string,
        promoted: "v.value IS NOT DISTINCT FROM t.value",
        same: |_, _| false,
        cases: 10,
        edges: vec![0, 100],
        any: (0..=100).boxed(),
    };
    check::<_, percent::Jsonb, percent::Json>(row);
}

#[derive(Debug, TView)]
#[tview(table = "lists", entity = "list")]
struct List {
    id: i32,
    numbers: Vec<i32>,
    words: Vec<Option<String>>,
}

#[tokio::test]
async fn an_array_of_two_dimensions_is_refused_and_not_flattened() {
    let pool = fraiseql_tests::pool().await;
    fraiseql_tests::run(
        &pool,
        "CREATE TABLE lists (id int4 PRIMARY KEY, numbers int4[] NOT NULL, words text[] NOT NULL);
         INSERT INTO lists VALUES (1, '{1,2}', '{a,NULL}'), (2, '{{1,2},{3,4}}', '{}'),
             (3, '{}', '{{a},{b}}'), (4, '[5:6]={1,2}', '{}')",
    )
    .await;
    let model = world::model::<List>();
    model.migrate(&pool).await.unwrap();
    // The lower bound of an array makes no difference.
    assert_eq!(sync_list(&pool, &[1, 4]).await.unwrap().inserted, 2);
    let list = List::find(&pool, 4).await.unwrap().unwrap();
    assert_eq!(
        (list.id, list.numbers, list.words.len()),
        (4, vec![1, 2], 0)
    );
    for key in [2, 3] {
        let report = sync_list(&pool, &[key]).await.unwrap();
        assert_eq!(report.invalid.len(), 1, "{report}");
        assert!(List::find_json(&pool, key).await.unwrap().is_none());
    }
}

#[derive(Debug, TView)]
#[tview(table = "notes", entity = "note", view = "notes_jsonb")]
struct Note {
    id: i32,
    data: Value,
}

#[derive(Debug, TView)]
#[tview(
    table = "notes",
    entity = "note_text",
    view = "notes_json",
    data = "json"
)]
struct NoteText {
    id: i32,
    data: Value,
}

#[tokio::test]
async fn unusual_json_is_stored_and_read_as_serde_json_reads_it() {
    let pool = fraiseql_tests::pool().await;
    fraiseql_tests::run(
        &pool,
        r#"CREATE TABLE notes (id int4 PRIMARY KEY, data json NOT NULL);
         INSERT INTO notes VALUES
             (1, E'{ "a" : 1,\n\t"a":2 , "snake_case":[ ] }'),
             (2, '"\u00e9\ud83d\ude00 \u0041"'),
             (3, '1234567890123456789012345678901234567890'),
             (4, '1.00'),
             (5, '1e400'),
             (6, 'null')"#,
    )
    .await;
    let model = ReadModel::builder().view::<Note>().view::<NoteText>();
    model.build().unwrap().migrate(&pool).await.unwrap();
    let keys = [1, 2, 3, 4, 5, 6];
    assert_eq!(sync_note(&pool, &keys).await.unwrap().inserted, 6);
    assert_eq!(sync_note_text(&pool, &keys).await.unwrap().inserted, 6);
    for (key, expected) in [
        (1, json!({ "a": 2, "snake_case": [] })),
        (2, json!("é😀 A")),
        // As an f64: serde_json's feature `arbitrary_precision` would keep the digits.
        (3, json!(1.234_567_890_123_456_8e39)),
        (4, json!(1.0)),
        (6, json!(null)),
    ] {
        let note = Note::find(&pool, key).await.unwrap().unwrap();
        assert_eq!((note.id, &note.data), (key, &expected));
        let note = NoteText::find(&pool, key).await.unwrap().unwrap();
        assert_eq!((note.id, &note.data), (key, &expected));
    }
    // The stored document has all digits.
    let stored = Note::find_json(&pool, 3).await.unwrap().unwrap();
    assert!(
        stored
            .get()
            .contains("1234567890123456789012345678901234567890")
    );
    // A number that is too large for an f64 is an error of the reader, which names the document.
    for error in [
        Note::find(&pool, 5).await.unwrap_err(),
        NoteText::find(&pool, 5).await.unwrap_err(),
    ] {
        assert!(
            matches!(&error, Error::Document { key, .. } if key == "5"),
            "{error}"
        );
    }
    assert!(Note::find_json(&pool, 5).await.unwrap().is_some());
}

#[derive(Debug, PartialEq, TView)]
#[tview(table = "hosts", entity = "host")]
struct Host {
    id: i32,
    #[tview(many(fk = "host_id", order_by = "ip"))]
    addresses: Vec<Address>,
}

/// Without a key, and with columns of other types that are read as text.
#[derive(Debug, PartialEq, fraiseql_runtime::Embed)]
#[tview(table = "addresses")]
struct Address {
    ip: String,
    kind: String,
    others: Vec<String>,
    extra: Value,
}

#[tokio::test]
async fn strings_are_columns_of_other_types_in_parts_without_a_key() {
    let pool = fraiseql_tests::pool().await;
    fraiseql_tests::run(
        &pool,
        r#"CREATE TYPE kind AS ENUM ('v4', 'v6');
         CREATE TABLE hosts (id int4 PRIMARY KEY);
         CREATE TABLE addresses (host_id int4, ip inet NOT NULL, kind kind, others inet[], extra json);
         INSERT INTO hosts VALUES (1), (2);
         INSERT INTO addresses VALUES
             (1, '10.0.0.1', 'v4', '{10.0.0.2,10.0.0.0/8}', '{"a":1}'),
             (1, '::1', 'v6', '{}', '[]'),
             (2, '::2', NULL, '{}', '[]')"#,
    )
    .await;
    let model = world::model::<Host>();
    model.migrate(&pool).await.unwrap();
    let report = sync_host(&pool, &[1, 2]).await.unwrap();
    assert_eq!((report.inserted, report.invalid.len()), (1, 1), "{report}");
    let address = |ip: &str, kind: &str, others: &[&str], extra| Address {
        ip: ip.to_owned(),
        kind: kind.to_owned(),
        others: others.iter().map(|&other| other.to_owned()).collect(),
        extra,
    };
    let expected = Host {
        id: 1,
        addresses: vec![
            address(
                "10.0.0.1",
                "v4",
                &["10.0.0.2", "10.0.0.0/8"],
                json!({ "a": 1 }),
            ),
            address("::1", "v6", &[], json!([])),
        ],
    };
    assert_eq!(Host::find(&pool, 1).await.unwrap(), Some(expected));
}
