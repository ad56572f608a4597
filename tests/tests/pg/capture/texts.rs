//! The texts of a small read model.

use fraiseql_runtime::{Embed, TView};

use super::captured;

#[derive(TView)]
#[allow(dead_code)]
struct Post {
    id: i64,
    title: String,
    #[tview(many(
        fk = "post_id",
        order_by = "created_at",
        filter = "{}.deleted_at IS NULL"
    ))]
    comments: Vec<Comment>,
}

#[derive(Embed)]
#[allow(dead_code)]
struct Comment {
    id: i64,
    content: String,
}

#[tokio::test]
async fn the_change_table_a_trigger_function_and_its_triggers() {
    let pool = fraiseql_tests::pool().await;
    fraiseql_tests::run(
        &pool,
        "CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL);
         CREATE TABLE tb_comment (id int8 PRIMARY KEY, content text NOT NULL, post_id int8, created_at timestamptz, deleted_at timestamptz)",
    )
    .await;
    let plan = captured::<Post>().migration_plan(&pool).await.unwrap();
    let is_shown = |sql: &&String| {
        (sql.contains("fraiseql_change\" (") && sql.starts_with("CREATE TABLE"))
            || sql.contains("fraiseql_capture_tb_comment_")
    };
    let shown: Vec<&str> = plan.iter().filter(is_shown).map(String::as_str).collect();
    // The id of the read model is a hash of everything, and not every server has this compression.
    let name = "fraiseql_capture_tb_comment_";
    let start = shown[1].find(name).unwrap() + name.len();
    let suffix = &shown[1][start..start + 16];
    let id = u64::from_str_radix(suffix, 16).unwrap().cast_signed();
    let text = shown.join(";\n\n").replace(" COMPRESSION lz4", "");
    insta::assert_snapshot!(
        text.replace(suffix, "<model>")
            .replace(&format!("'{id}'"), "'<id>'")
    );
}
