//! Tests that a changed part is replaced in many documents without building them.

use fraiseql_runtime::{Embed, ReadModel, TView};
use fraiseql_tests::{run, world};
use serde_json::Value;
use sqlx::PgPool;

const ROWS: &str = "
    CREATE INDEX ON tb_post (editor_id);
    CREATE INDEX ON tb_user (firm_id);
    INSERT INTO tb_firm VALUES (1, 'Engines');
    INSERT INTO tb_user VALUES (1, 'Ada', '1815-12-10 00:00:00+00', 1), (2, 'Bob', NULL, 1), (3, 'Eve', NULL, NULL);
    INSERT INTO tb_post SELECT i, 'Post ' || i, 1 + i % 2, CASE i % 5 WHEN 0 THEN 3 WHEN 1 THEN 2 END
        FROM generate_series(1, 300) AS i";

#[derive(TView)]
#[allow(dead_code)]
struct Post {
    id: i64,
    title: String,
    #[tview(one(fk = "author_id"))]
    author: Author,
    #[tview(one(fk = "author_id"))]
    by: Name,
    #[tview(one(fk = "editor_id"))]
    editor: Option<Shown>,
}

#[derive(Embed)]
#[tview(table = "tb_user")]
#[allow(dead_code)]
struct Author {
    id: i64,
    name: String,
    born: Option<chrono::DateTime<chrono::Utc>>,
    #[tview(one(fk = "firm_id"))]
    firm: Option<Firm>,
}

#[derive(Embed)]
#[tview(table = "tb_user")]
#[allow(dead_code)]
struct Name {
    id: i64,
    name: String,
}

#[derive(Embed)]
#[tview(table = "tb_user", filter = "NOT hidden")]
#[allow(dead_code)]
struct Shown {
    id: i64,
    name: String,
}

#[derive(Embed)]
#[allow(dead_code)]
struct Firm {
    id: i64,
    name: String,
}

/// The same stored as text, in which parts cannot be replaced.
#[derive(TView)]
#[tview(table = "tb_post", data = "json")]
#[allow(dead_code)]
struct Text {
    id: i64,
    #[tview(one(fk = "author_id"))]
    author: Author,
}

async fn blog() -> (PgPool, ReadModel) {
    let pool = world::numbered_blog()
        .sql("CREATE TABLE tb_firm (id int8 PRIMARY KEY, name text NOT NULL)")
        .column("tb_user", "born timestamptz")
        .column("tb_user", "firm_id int8 REFERENCES tb_firm")
        .column("tb_user", "hidden boolean NOT NULL DEFAULT false")
        .column("tb_post", "editor_id int8 REFERENCES tb_user")
        .sql(ROWS)
        .pool()
        .await;
    let model = ReadModel::builder()
        .view::<Post>()
        .view::<Text>()
        .build()
        .unwrap();
    model.migrate(&pool).await.unwrap();
    sync_all_posts(&pool).await.unwrap();
    sync_all_texts(&pool).await.unwrap();
    (pool, model)
}

async fn assert_right(model: &ReadModel, pool: &PgPool) {
    let reports = model.verify(pool).await.unwrap();
    assert!(reports.is_clean(), "{reports}");
}

/// The outcome of one statement in a mutation with marks for these users; then asserts that all
/// documents are correct. Returns updated, unchanged, inserted and deleted posts.
async fn change((pool, model): &(PgPool, ReadModel), sql: &'static str, users: &[i64]) -> [u64; 4] {
    let mut m = model.mutation(pool).await.unwrap();
    sqlx::raw_sql(sql).execute(&mut *m).await.unwrap();
    m.changed::<Author>(users);
    let report = m.commit().await.unwrap();
    assert_right(model, pool).await;
    let posts = report.of::<Post>().unwrap();
    [
        posts.updated,
        posts.unchanged,
        posts.inserted,
        posts.deleted,
    ]
}

async fn version(pool: &PgPool, post: i64) -> i64 {
    sqlx::query_scalar("SELECT version FROM tv_post WHERE id = $1")
        .bind(post)
        .fetch_one(pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_changed_row_is_replaced_in_every_field_that_embeds_it() {
    let blog = blog().await;
    // Ada is the author of 150 posts, and edits none.
    let counts = change(
        &blog,
        "UPDATE tb_user SET name = 'Countess' WHERE id = 1",
        &[1],
    )
    .await;
    assert_eq!(counts, [150, 0, 0, 0]);
    assert_eq!(
        (version(&blog.0, 2).await, version(&blog.0, 1).await),
        (2, 1)
    );
    let data: Value = sqlx::query_scalar("SELECT data FROM tv_post WHERE id = 2")
        .fetch_one(&blog.0)
        .await
        .unwrap();
    assert_eq!(data["by"]["name"], "Countess");
    assert_eq!(data["author"]["born"], "1815-12-10T00:00:00+00:00");
}

#[tokio::test]
async fn a_document_with_two_changed_parts_is_built() {
    let blog = blog().await;
    // Bob is the author of 150 posts, and edits 60, half of them his own.
    let counts = change(
        &blog,
        "UPDATE tb_user SET name = 'Robert' WHERE id = 2",
        &[2],
    )
    .await;
    assert_eq!(counts, [180, 0, 0, 0]);
}

#[tokio::test]
async fn columns_that_are_not_embedded_change_no_document() {
    let blog = blog().await;
    let counts = change(
        &blog,
        "UPDATE tb_user SET hidden = false WHERE id = 1",
        &[1],
    )
    .await;
    assert_eq!(counts, [0, 150, 0, 0]);
    assert_eq!(version(&blog.0, 2).await, 1);
}

#[tokio::test]
async fn a_document_whose_part_the_filter_excludes_or_includes_again_is_built() {
    let blog = blog().await;
    let hide = "UPDATE tb_user SET hidden = true WHERE id = 3";
    assert_eq!(change(&blog, hide, &[3]).await, [60, 0, 0, 0]);
    let show = "UPDATE tb_user SET hidden = false, name = 'Eva' WHERE id = 3";
    assert_eq!(change(&blog, show, &[3]).await, [60, 0, 0, 0]);
}

#[tokio::test]
async fn a_change_of_a_row_nested_in_the_part_reaches_every_document() {
    let blog = blog().await;
    let mut m = blog.1.mutation(&blog.0).await.unwrap();
    sqlx::raw_sql("UPDATE tb_firm SET name = 'Looms'")
        .execute(&mut *m)
        .await
        .unwrap();
    m.changed::<Firm>(&[1]);
    let report = m.commit().await.unwrap();
    assert_eq!(report.of::<Post>().unwrap().updated, 300);
    assert_right(&blog.1, &blog.0).await;
}

/// A stale document, and a missing one.
#[tokio::test]
async fn stale_and_missing_documents_are_built() {
    let blog = blog().await;
    run(
        &blog.0,
        "UPDATE tv_post SET shape = 1, data = data - 'by' WHERE id = 2;
         DELETE FROM tv_post WHERE id = 4",
    )
    .await;
    let counts = change(
        &blog,
        "UPDATE tb_user SET name = 'Countess' WHERE id = 1",
        &[1],
    )
    .await;
    assert_eq!(counts, [149, 0, 1, 0]);
}

#[tokio::test]
async fn rows_that_move_meanwhile_are_left_to_the_other_writer() {
    let blog = blog().await;
    let (pool, model) = &blog;
    let mut m = model.mutation(pool).await.unwrap();
    sqlx::raw_sql("UPDATE tb_user SET name = 'Countess' WHERE id = 1; UPDATE tb_post SET author_id = 2 WHERE id = 2; UPDATE tb_post SET author_id = 1 WHERE id = 1")
        .execute(&mut *m)
        .await
        .unwrap();
    m.changed::<Author>(&[1]);
    m.changed::<Post>(&[1, 2]);
    m.commit().await.unwrap();
    assert_right(model, pool).await;
}

/// Times are printed in UTC, whatever the time zone of the session is.
#[tokio::test]
async fn a_session_with_unusual_settings_builds_the_documents() {
    let (pool, model) = blog().await;
    let mut m = model.mutation(&pool).await.unwrap();
    sqlx::raw_sql(
        "SET LOCAL TimeZone = 'Asia/Kathmandu'; UPDATE tb_user SET name = 'Countess' WHERE id = 1",
    )
    .execute(&mut *m)
    .await
    .unwrap();
    m.changed::<Author>(&[1]);
    let report = m.commit().await.unwrap();
    assert_eq!(report.of::<Post>().unwrap().updated, 150);
    assert_right(&model, &pool).await;
}

#[tokio::test]
async fn a_part_that_cannot_be_written_leaves_the_documents_unchanged() {
    let (pool, model) = blog().await;
    run(&pool, "ALTER TABLE tb_user ALTER name DROP NOT NULL").await;
    let mut m = model.mutation(&pool).await.unwrap();
    sqlx::raw_sql("UPDATE tb_user SET name = NULL WHERE id = 1")
        .execute(&mut *m)
        .await
        .unwrap();
    m.changed::<Author>(&[1]);
    let report = m.commit().await.unwrap();
    let posts = report.of::<Post>().unwrap();
    assert_eq!((posts.updated, posts.invalid.len()), (0, 150));
    assert!(
        posts.invalid[0].reason.contains("author.name: is null"),
        "{:?}",
        posts.invalid[0]
    );
}

/// Only the part is written: other changes of the row are left to the sync of that document.
#[tokio::test]
async fn only_the_part_is_written() -> anyhow::Result<()> {
    let (pool, model) = blog().await;
    run(&pool, "UPDATE tb_post SET title = 'Unsynced' WHERE id = 2").await;
    let mut m = model.mutation(&pool).await?;
    sqlx::raw_sql("UPDATE tb_user SET name = 'Countess' WHERE id = 1")
        .execute(&mut *m)
        .await?;
    m.changed::<Author>(&[1]);
    m.commit().await?;
    let data: Value = sqlx::query_scalar("SELECT data FROM tv_post WHERE id = 2")
        .fetch_one(&pool)
        .await?;
    assert_eq!(
        (&data["title"], &data["author"]["name"]),
        (&Value::from("Post 2"), &Value::from("Countess"))
    );
    sync_post(&pool, &[2]).await?;
    assert_right(&model, &pool).await;
    Ok(())
}

/// The user's SQL may read the changed row, too.
#[tokio::test]
async fn a_document_whose_expression_has_a_subquery_is_built() -> anyhow::Result<()> {
    #[derive(TView)]
    #[tview(table = "tb_post", view = "tv_signed")]
    #[allow(dead_code)]
    struct Signed {
        id: i64,
        #[tview(one(fk = "author_id"))]
        author: Name,
        #[tview(expr = "(SELECT upper(u.name) FROM tb_user AS u WHERE u.id = {}.author_id)")]
        signature: Option<String>,
    }
    let (pool, _) = blog().await;
    let model = world::model::<Signed>();
    model.migrate(&pool).await?;
    sync_all_signeds(&pool).await?;
    let mut m = model.mutation(&pool).await?;
    sqlx::raw_sql("UPDATE tb_user SET name = 'Countess' WHERE id = 1")
        .execute(&mut *m)
        .await?;
    m.changed::<Author>(&[1]);
    m.commit().await?;
    assert_right(&model, &pool).await;
    Ok(())
}

/// The row that the foreign key refers to, once more: as values, and as an aggregate.
#[derive(TView)]
#[tview(table = "tb_post", view = "tv_echo")]
#[allow(dead_code)]
struct Echo {
    id: i64,
    #[tview(one(fk = "author_id"))]
    author: Name,
    #[tview(values(table = "tb_user", fk = "id", key = "author_id", column = "name"))]
    names: Vec<String>,
    #[tview(max(table = "tb_user", fk = "id", key = "author_id", expr = "{}.name"))]
    last: Option<String>,
}

#[tokio::test]
async fn a_row_that_other_fields_read_by_the_same_columns_is_not_only_replaced()
-> anyhow::Result<()> {
    let (pool, _) = blog().await;
    let model = ReadModel::builder().view::<Echo>().build()?;
    model.migrate(&pool).await?;
    model.sync_all(&pool).await?;
    let mut m = model.mutation(&pool).await?;
    sqlx::query("UPDATE tb_user SET name = 'Countess' WHERE id = 1")
        .execute(&mut *m)
        .await?;
    m.changed::<Name>(&[1]);
    assert_eq!(m.commit().await?.changed(), 150);
    assert_right(&model, &pool).await;
    Ok(())
}
