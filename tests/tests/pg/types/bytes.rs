//! Tests what the compiler and `check` advise for a column of bytes.

use fraiseql_runtime::TView;
use fraiseql_runtime::check::Remedy;
use fraiseql_tests::{run, world};

#[derive(Debug, TView)]
#[tview(table = "tb_file", entity = "file")]
struct File {
    id: i32,
    #[tview(expr = "replace(encode({}.body, 'base64'), chr(10), '')")]
    body: String,
}

#[derive(Debug, TView)]
#[tview(table = "tb_file", entity = "raw_file")]
#[allow(dead_code)]
struct RawFile {
    id: i32,
    body: String,
}

#[tokio::test]
async fn the_advice_for_bytes_is_one_line_of_base64() -> anyhow::Result<()> {
    let pool = fraiseql_tests::pool().await;
    run(
        &pool,
        "CREATE TABLE tb_file (id int4 PRIMARY KEY, body bytea NOT NULL);
         INSERT INTO tb_file SELECT n, decode(repeat('fb', n), 'hex') FROM (VALUES (0), (1), (57), (58), (200)) AS l (n)",
    )
    .await;
    let model = world::model::<File>();
    model.migrate(&pool).await?;
    sync_all_files(&pool).await?;
    for (length, encoded) in [(0, 0), (1, 4), (57, 76), (58, 80), (200, 268)] {
        let file = File::find(&pool, length).await?.unwrap();
        assert_eq!(file.id, length);
        assert_eq!(file.body.len(), encoded);
        assert!(!file.body.contains(char::is_whitespace), "{}", file.body);
    }
    let report = fraiseql_tests::without_server(model.check(&pool).await?);
    assert_eq!(report.to_string(), "check: 0 errors, 0 warnings");

    // `check` advises the same.
    let model = world::model::<RawFile>();
    model.migrate(&pool).await?;
    let report = model.check(&pool).await?;
    let advised = report.errors().next().unwrap().remedies[0].clone();
    assert_eq!(
        advised,
        Remedy::Rust(
            "#[tview(expr = \"replace(encode({}.body, 'base64'), chr(10), '')\")]".to_owned()
        )
    );
    Ok(())
}
