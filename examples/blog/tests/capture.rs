//! `--capture`: rows that are changed in psql, a column that no document has, and another setting at a later
//! start.

mod support;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sqlx::postgres::PgConnectOptions;
use support::{Blog, command, database, eventually};

async fn start(mode: &str) -> Blog {
    Blog::start_with(&["--posts", "20", "--capture", mode]).await
}

/// What somebody does in psql.
async fn psql(blog: &Blog, sql: &'static str) {
    sqlx::raw_sql(sql).execute(&blog.pool).await.unwrap();
}

const TITLE: &str = "{ post(id: \"00000000-0000-0000-0000-0000000000aa\") { title commentCount } }";
const WRITE: &str = "
    UPDATE tb_post SET id = '00000000-0000-0000-0000-0000000000aa', title = 'Written in psql'
    WHERE identifier = 'post-7';
    INSERT INTO tb_comment (fk_post, fk_author, content)
    SELECT p.pk_post, p.fk_author, 'From psql' FROM tb_post AS p WHERE p.identifier = 'post-7'";

#[tokio::test]
async fn a_row_changed_in_psql_is_in_its_document_a_moment_later() {
    let blog = start("queue").await;
    psql(&blog, WRITE).await;
    eventually("the document has the comment", async || {
        blog.field(TITLE, json!({})).await
            == json!({"title": "Written in psql", "commentCount": 11})
    })
    .await;
    // A cascade: posts, comments and likes of the user go with the row.
    psql(&blog, "DELETE FROM tb_user WHERE username = 'user1'").await;
    eventually("all documents are synced", async || blog.is_synced().await).await;
    let users = blog.field("{ users { username } }", json!({})).await;
    assert_eq!(users, json!([{"username": "user2"}]));
}

#[tokio::test]
async fn at_commit_a_row_changed_in_psql_is_in_its_document_at_once() {
    let blog = start("at-commit").await;
    psql(&blog, WRITE).await;
    assert_eq!(
        blog.field(TITLE, json!({})).await,
        json!({"title": "Written in psql", "commentCount": 11})
    );
    psql(&blog, "DELETE FROM tb_user WHERE username = 'user1'").await;
    blog.assert_synced().await;
}

#[tokio::test]
async fn without_capture_a_row_changed_in_psql_is_not_in_its_document() {
    let blog = start("off").await;
    // The repair at the start must not be what makes it right. Comments are verified last.
    eventually("the repair has ended", async || {
        let metrics = blog.client.get(format!("{}/metrics", blog.url)).send();
        let metrics = metrics.await.unwrap().text().await.unwrap();
        let ended = r#"fraiseql_verify_documents_total{entity="comment",outcome="right"} 200"#;
        metrics.contains(ended)
    })
    .await;
    psql(
        &blog,
        "UPDATE tb_post SET title = 'Written in psql' WHERE identifier = 'post-7'",
    )
    .await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert!(!blog.is_synced().await);
}

/// The number of changes that were ever written: worker and mutations delete them.
async fn changes_ever(blog: &Blog) -> i64 {
    let sql = "SELECT coalesce(
        pg_sequence_last_value(pg_get_serial_sequence('fraiseql_change', 'id')::regclass), 0)";
    sqlx::query_scalar(sql).fetch_one(&blog.pool).await.unwrap()
}

#[tokio::test]
async fn a_counted_view_costs_no_sync() {
    for mode in ["off", "queue", "at-commit"] {
        let blog = start(mode).await;
        let post = blog.field("{ posts(limit: 1) { id } }", json!({})).await[0]["id"].take();
        let id = post.as_str().unwrap();
        let stored = async || -> (i64, String, i64) {
            let sql = "SELECT v.version, v.synced_xid::text, p.view_count
                FROM tv_post AS v JOIN tb_post AS p USING (id) WHERE id = $1::text::uuid";
            let row = sqlx::query_as(sql).bind(id).fetch_one(&blog.pool);
            row.await.unwrap()
        };
        eventually("the sample is synced", async || {
            let sql = "SELECT NOT EXISTS (SELECT FROM fraiseql_change)";
            sqlx::query_scalar(sql).fetch_one(&blog.pool).await.unwrap()
        })
        .await;
        let (version, xid, views) = stored().await;
        let changes = changes_ever(&blog).await;
        for _ in 0..3 {
            let url = format!("{}/posts/{id}", blog.url);
            let response = blog.client.get(url).send().await.unwrap();
            assert_eq!(response.status(), 200);
            assert_eq!(response.headers()["content-type"], "application/json");
            let document: Value = response.json().await.unwrap();
            assert_eq!(document["id"], post, "{mode}");
            assert!(document["comments"].is_array(), "{mode}");
        }
        assert_eq!(stored().await, (version, xid, views + 3), "{mode}");
        assert_eq!(changes_ever(&blog).await, changes, "{mode}");
        // The same table, and a column that documents have.
        psql(
            &blog,
            "UPDATE tb_post SET title = title || '.', view_count = 0",
        )
        .await;
        let captured = changes_ever(&blog).await > changes;
        assert_eq!(captured, mode != "off", "{mode}");
    }
}

#[tokio::test]
async fn a_post_that_does_not_exist_is_not_found() {
    let blog = Blog::start(0).await;
    let nobody = "00000000-0000-0000-0000-000000000000";
    let url = format!("{}/posts/{nobody}", blog.url);
    let response = blog.client.get(url).send().await.unwrap();
    assert_eq!(response.status(), 404);
    let body: Value = response.json().await.unwrap();
    assert_eq!(body, json!({"error": format!("there is no post {nobody}")}));
}

/// A program whose log is in a file.
async fn start_logged(database: &PgConnectOptions, arguments: &[&str], log: &Path) -> Blog {
    let file = std::fs::File::create(log).unwrap();
    let mut command = command(database);
    command.args(arguments).stderr(file);
    Blog::start_command(database, command).await
}

/// Ends the program by SIGTERM, after it has answered a request: from then on it waits for signals.
async fn stop(mut blog: Blog) {
    blog.field("{ users(limit: 1) { id } }", json!({})).await;
    blog.terminate();
    assert!(blog.wait().success());
}

/// The triggers of the read model on base tables.
async fn triggers(blog: &Blog) -> i64 {
    let sql = "SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'fraiseql%'";
    sqlx::query_scalar(sql).fetch_one(&blog.pool).await.unwrap()
}

fn log_file(name: &str) -> PathBuf {
    let unique = format!("{name}-{}.log", std::process::id());
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(unique)
}

#[tokio::test]
async fn the_setting_may_be_another_one_at_a_later_start() {
    let database = database().await;
    let log = log_file("capture");
    let mut blog = start_logged(&database, &["--posts", "20", "--capture", "queue"], &log).await;
    let pool = blog.pool.clone();
    let left = async || -> i64 {
        let sql = "SELECT count(*) FROM fraiseql_change";
        sqlx::query_scalar(sql).fetch_one(&pool).await.unwrap()
    };
    eventually("the sample is drained", async || left().await == 0).await;
    let of_queue = triggers(&blog).await;
    assert!(of_queue > 0);
    blog.kill();
    // Nobody syncs this change now.
    psql(
        &blog,
        "UPDATE tb_post SET title = 'Left' WHERE identifier = 'post-7'",
    )
    .await;

    // Another process with the former setting may still run: the statements are logged only.
    let off = start_logged(&database, &["--capture", "off"], &log).await;
    stop(off).await;
    let logged = std::fs::read_to_string(&log).unwrap();
    assert!(logged.contains("--drop-left-over"), "{logged}");
    assert!(logged.contains("DROP TRIGGER"), "{logged}");
    assert!(logged.contains("DROP FUNCTION"), "{logged}");
    assert_eq!(triggers(&blog).await, of_queue);
    assert_eq!(left().await, 1);

    // The operator knows that there is none.
    let off = start_logged(&database, &["--capture", "off", "--drop-left-over"], &log).await;
    assert_eq!(triggers(&blog).await, 0);
    eventually("the change that was left is drained", async || {
        left().await == 0
    })
    .await;
    eventually("its document is synced", async || off.is_synced().await).await;
    stop(off).await;

    // Without triggers, nothing says that this row was changed; the start after it repairs the document.
    psql(
        &blog,
        "UPDATE tb_post SET title = 'Unseen' WHERE identifier = 'post-8'",
    )
    .await;
    let both = ["--capture", "at-commit", "--drop-left-over"];
    let again = start_logged(&database, &both, &log).await;
    eventually("all documents are right", async || again.is_synced().await).await;
    psql(
        &again,
        "UPDATE tb_post SET title = 'Seen' WHERE identifier = 'post-9'",
    )
    .await;
    again.assert_synced().await;
    stop(again).await;

    // Nothing is left over of the former setting: this start has nothing to say.
    let same = start_logged(&database, &["--capture", "at-commit"], &log).await;
    stop(same).await;
    let logged = std::fs::read_to_string(&log).unwrap();
    assert!(!logged.contains("--drop-left-over"), "{logged}");
    std::fs::remove_file(&log).unwrap();
}
