//! Tests that the server prints stored `jsonb` and `json` documents as projections expect.

#![allow(dead_code)] // the structs are only looked at

use fraiseql_runtime::{Embed, Projection, ReadModel, Selection, TView};
use serde_json::Value;

#[derive(Embed)]
#[tview(table = "tb_user")]
struct User {
    id: i64,
    username: String,
    full_name: String,
}

#[derive(TView)]
#[tview(table = "tb_note", view = "tv_parsed", entity = "parsed")]
struct Parsed {
    id: i64,
    title: String,
    meta: Option<Value>,
    #[tview(many(fk = "note_id"))]
    users: Vec<User>,
    #[tview(one(fk = "user_id"))]
    by: Option<User>,
}

#[derive(TView)]
#[tview(table = "tb_note", view = "tv_text", entity = "text", data = "json")]
struct Text {
    id: i64,
    title: String,
    meta: Option<Value>,
    #[tview(many(fk = "note_id"))]
    users: Vec<User>,
    #[tview(one(fk = "user_id"))]
    by: Option<User>,
}

#[tokio::test]
async fn the_server_prints_documents_in_the_expected_form() -> anyhow::Result<()> {
    let pool = fraiseql_tests::pool().await;
    fraiseql_tests::run(
        &pool,
        r#"CREATE TABLE tb_user (id int8 PRIMARY KEY, note_id int8, username text NOT NULL, full_name text NOT NULL);
           CREATE TABLE tb_note (id int8 PRIMARY KEY, user_id int8, title text NOT NULL, meta jsonb);
           CREATE INDEX ON tb_user (note_id);
           INSERT INTO tb_user VALUES (1, 7, 'ada', E'A\tda "x" \\'), (2, 7, 'bob', '');
           INSERT INTO tb_note VALUES (7, 1, 'T', '{"users": [{"id": 9}], "by": "}"}'), (8, NULL, 'U', NULL)"#,
    )
    .await;
    let model = ReadModel::builder()
        .view::<Parsed>()
        .view::<Text>()
        .build()?;
    model.migrate(&pool).await?;
    sync_all_parseds(&pool).await?;
    sync_all_texts(&pool).await?;
    // The expected order of fields and separators, so that no key has to be searched.
    let parsed: Vec<String> = sqlx::query_scalar("SELECT data::text FROM tv_parsed ORDER BY id")
        .fetch_all(&pool)
        .await?;
    let text: Vec<String> = sqlx::query_scalar("SELECT data::text FROM tv_text ORDER BY id")
        .fetch_all(&pool)
        .await?;
    let ada = r#""fullName": "A\tda \"x\" \\", "username": "ada"}"#;
    let bob = r#"{"id": 2, "fullName": "", "username": "bob"}"#;
    let meta = r#"{"by": "}", "users": [{"id": 9}]}"#;
    assert_eq!(
        parsed[0],
        format!(
            r#"{{"by": {{"id": 1, {ada}, "id": 7, "meta": {meta}, "title": "T", "users": [{{"id": 1, {ada}, {bob}]}}"#
        )
    );
    let ada = r#"{"id":1,"username":"ada","fullName":"A\tda \"x\" \\"}"#;
    let bob = r#"{"id":2,"username":"bob","fullName":""}"#;
    assert_eq!(
        text[0],
        format!(r#"{{"id":7,"title":"T","meta":{meta},"users":[{ada},{bob}],"by":{ada}}}"#)
    );
    assert_eq!(
        text[1],
        r#"{"id":8,"title":"U","meta":null,"users":[],"by":null}"#
    );

    let selection: Selection = "{ users { fullName } title by { username } meta }".parse()?;
    for (projection, documents) in [
        (Projection::of::<Parsed>(&selection)?, &parsed),
        (Projection::of::<Text>(&selection)?, &text),
    ] {
        let mut out = Vec::new();
        projection.write_list(documents, &mut out)?;
        assert_eq!(
            String::from_utf8(out)?,
            format!(
                r#"[{{"users":[{{"fullName":"A\tda \"x\" \\"}},{{"fullName":""}}],"title":"T","by":{{"username":"ada"}},"meta":{meta}}},{{"users":[],"title":"U","by":null,"meta":null}}]"#
            )
        );
    }
    Ok(())
}
