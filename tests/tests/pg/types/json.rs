//! Tests JSON of the user that PostgreSQL stores and nobody can read: it makes its own document
//! invalid, and no other.

use fraiseql_runtime::{Embed, ReadModel, TView};
use fraiseql_tests::run;
use serde_json::Value;
use sqlx::PgPool;

macro_rules! note {
    ($name:ident, $entity:literal, $data:literal) => {
        #[derive(Debug, TView)]
        #[tview(table = "tb_note", entity = $entity, data = $data)]
        #[allow(dead_code)]
        struct $name {
            id: i32,
            body: Value,
            list: Vec<Value>,
            maybe: Option<Value>,
            #[tview(many(fk = "note_id", order_by = "id"))]
            parts: Vec<Part>,
        }
    };
}

note!(Text, "text_note", "json");
note!(Binary, "binary_note", "jsonb");

#[derive(Debug, Embed)]
#[tview(table = "tb_part")]
#[allow(dead_code)]
struct Part {
    id: i32,
    extra: Value,
}

const TABLES: &str = r#"
CREATE TABLE tb_note (id int4 PRIMARY KEY, body json NOT NULL DEFAULT '1',
    list json[] NOT NULL DEFAULT '{}', maybe json);
CREATE TABLE tb_part (id int4 PRIMARY KEY, note_id int4 NOT NULL REFERENCES tb_note,
    extra json NOT NULL DEFAULT '1');
CREATE INDEX ON tb_part (note_id);
INSERT INTO tb_note SELECT n FROM generate_series(1, 30) AS n;
INSERT INTO tb_part SELECT n, n FROM generate_series(1, 30) AS n;
"#;

async fn notes() -> PgPool {
    let pool = fraiseql_tests::pool().await;
    run(&pool, TABLES).await;
    let model = ReadModel::builder().view::<Text>().view::<Binary>();
    model.build().unwrap().migrate(&pool).await.unwrap();
    pool
}

/// `[[..1..]]`, with this many arrays.
fn nested(levels: usize) -> String {
    format!("{}1{}", "[".repeat(levels), "]".repeat(levels))
}

async fn set(pool: &PgPool, column: &str, key: i32, value: &str) {
    let update = match column {
        "extra" => "UPDATE tb_part SET extra = $2::json WHERE id = $1".to_owned(),
        "list" => "UPDATE tb_note SET list = ARRAY['1', $2]::json[] WHERE id = $1".to_owned(),
        column => format!("UPDATE tb_note SET {column} = $2::json WHERE id = $1"),
    };
    sqlx::query(sqlx::AssertSqlSafe(update))
        .bind(key)
        .bind(value)
        .execute(pool)
        .await
        .unwrap();
}

#[tokio::test]
async fn json_that_cannot_be_read_is_an_invalid_document_with_its_path() {
    let pool = notes().await;
    let surrogate = "has half of a surrogate pair";
    let deep = "has more levels of arrays and objects than can be read";
    let cases = [
        (1, "body", r#"{"a":"\ud800"}"#.to_owned(), "body", surrogate),
        (
            2,
            "body",
            r#"["\udc00\ud800"]"#.to_owned(),
            "body",
            surrogate,
        ),
        (3, "maybe", r#""\\\uDBFF""#.to_owned(), "maybe", surrogate),
        (
            4,
            "extra",
            r#"{"\uD83D\u0041":1}"#.to_owned(),
            "parts[0].extra",
            surrogate,
        ),
        (5, "body", nested(127), "body", deep),
        (6, "maybe", nested(3_000), "maybe", deep),
        (7, "extra", nested(125), "parts[0].extra", deep),
    ];
    for (key, column, value, ..) in &cases {
        set(&pool, column, *key, value).await;
    }
    set(&pool, "list", 8, r#""\ud800""#).await;
    set(&pool, "list", 9, &nested(126)).await;
    let keys: Vec<i32> = (1..=30).collect();
    for report in [
        sync_text_note(&pool, &keys).await.unwrap(),
        sync_binary_note(&pool, &keys).await.unwrap(),
        sync_all_text_notes(&pool).await.unwrap(),
    ] {
        let mut found: Vec<(i32, String)> = report
            .invalid
            .iter()
            .map(|document| (document.key.parse().unwrap(), document.reason.clone()))
            .collect();
        found.sort_unstable();
        assert_eq!(report.inserted + report.unchanged, 21, "{report}");
        for ((key, reason), (expected, _, _, path, why)) in found.iter().zip(&cases) {
            assert_eq!(
                (*key, reason.as_str()),
                (*expected, format!("{path}: {why}").as_str())
            );
        }
        assert_eq!(found.len(), 9);
        for (_, reason) in &found[7..] {
            assert!(reason.starts_with("list: "), "{reason}");
        }
    }
    assert_eq!(Text::list().fetch::<Text>(&pool).await.unwrap().len(), 21);
    assert_eq!(
        Binary::list().fetch::<Binary>(&pool).await.unwrap().len(),
        21
    );
}

#[tokio::test]
async fn unusual_json_that_can_be_read_is_written() {
    let pool = notes().await;
    for (key, value) in [
        (
            1,
            r#"{"a":"\ud83d\ude00 \\ud800 \\\ud83d\ude00"}"#.to_owned(),
        ),
        (2, r#""\\\\ud800""#.to_owned()),
        (3, nested(126)),
        (4, format!("{{\"a\":{}}}", nested(125))),
        (5, r#"{"a":1,"a":{"b":2}}"#.to_owned()),
        (6, format!("[{}]", ["\"[[[[{{{{\""; 60].join(","))),
        (7, format!("[{}]", [nested(100), nested(100)].join(","))),
        (
            8,
            "12345678901234567890123456789012345678901234567890".to_owned(),
        ),
    ] {
        set(&pool, "body", key, &value).await;
    }
    set(&pool, "extra", 9, &nested(124)).await;
    set(&pool, "list", 10, &nested(125)).await;
    for report in [
        sync_all_text_notes(&pool).await.unwrap(),
        sync_all_binary_notes(&pool).await.unwrap(),
    ] {
        assert_eq!((report.inserted, report.invalid.len()), (30, 0), "{report}");
    }
    assert_eq!(Text::list().fetch::<Text>(&pool).await.unwrap().len(), 30);
    assert_eq!(
        Binary::list().fetch::<Binary>(&pool).await.unwrap().len(),
        30
    );
    // `json` keeps U+0000, and serde reads it.
    set(&pool, "body", 11, r#""\u0000""#).await;
    assert_eq!(sync_text_note(&pool, &[11]).await.unwrap().updated, 1);
    let note = Text::find(&pool, 11).await.unwrap().unwrap();
    assert_eq!(note.body, "\0");
}
