//! Tests of `find_unless`: tags change with documents, and what a client has is not read.

use fraiseql_runtime::read::{FoundUnless, IfNoneMatch};
use fraiseql_runtime::{Readers, TView};
use fraiseql_tests::world::model;
use sqlx::{AssertSqlSafe, PgPool};

#[derive(Debug, TView)]
#[allow(dead_code)]
struct Post {
    id: i64,
    title: String,
}

/// The same documents, of a later release.
mod later {
    use fraiseql_runtime::TView;

    #[derive(Debug, TView)]
    #[allow(dead_code)]
    pub(super) struct Post {
        id: i64,
        title: String,
        #[tview(expr = "length({}.title)")]
        size: i32,
    }
}

#[derive(Debug, TView)]
#[tview(table = "tb_post", storage = "live")]
#[allow(dead_code)]
struct Draft {
    id: i64,
    title: String,
}

#[derive(Debug, TView)]
#[tview(table = "tb_post", view = "tv_ticket")]
#[allow(dead_code)]
struct Ticket {
    id: i64,
    #[tview(tenant)]
    org_id: i64,
    title: String,
}

async fn posts() -> PgPool {
    let pool = fraiseql_tests::pool().await;
    fraiseql_tests::run(
        &pool,
        "CREATE TABLE tb_post (id int8 PRIMARY KEY, org_id int8 NOT NULL, title text NOT NULL);
         INSERT INTO tb_post VALUES (1, 5, 'One'), (2, 6, 'Two')",
    )
    .await;
    model::<Post>().migrate(&pool).await.unwrap();
    sync_all_posts(&pool).await.unwrap();
    pool
}

/// The JSON and the tag of a document, of which the client has no version.
async fn read(pool: &PgPool, id: i64) -> (String, String) {
    match Post::find_unless(pool, id, &IfNoneMatch::default())
        .await
        .unwrap()
    {
        FoundUnless::Document { json, etag } => (json.get().to_owned(), etag.unwrap().to_string()),
        other => panic!("{other:?}"),
    }
}

/// Whether a client with these tags has the document.
async fn has(pool: &PgPool, id: i64, header: &str) -> bool {
    match Post::find_unless(pool, id, &header.parse().unwrap())
        .await
        .unwrap()
    {
        FoundUnless::Unchanged(_) => true,
        FoundUnless::Document { json, .. } => {
            assert_eq!(
                json.get(),
                Post::find_json(pool, id).await.unwrap().unwrap().get()
            );
            false
        }
        FoundUnless::Missing => panic!("there is no document {id}"),
    }
}

async fn change(pool: &PgPool, sql: &'static str) {
    fraiseql_tests::run(pool, sql).await;
    sync_all_posts(pool).await.unwrap();
}

#[tokio::test]
async fn a_tag_is_that_of_one_content() {
    let pool = posts().await;
    let (json, first) = read(&pool, 1).await;
    assert_eq!(json, r#"{"id": 1, "title": "One"}"#);
    assert!(first.starts_with("W/\"") && first.ends_with('"'), "{first}");
    assert!(has(&pool, 1, &first).await);
    assert!(has(&pool, 1, &format!("\"other\", {first}")).await);
    assert!(has(&pool, 1, "*").await);
    assert!(has(&pool, 1, first.trim_start_matches("W/")).await);
    for header in [
        "",
        "\"other\"",
        "W/\"\"",
        "\"'; DROP TABLE tv_post\"",
        &read(&pool, 2).await.1,
    ] {
        let is_same = header == first;
        assert_eq!(has(&pool, 1, header).await, is_same, "{header}");
    }
    // A sync that changes nothing keeps it.
    change(&pool, "SELECT").await;
    assert!(has(&pool, 1, &first).await);

    change(&pool, "UPDATE tb_post SET title = 'Uno' WHERE id = 1").await;
    assert!(!has(&pool, 1, &first).await);
    // Also if the content is as it was, in a document that has been there before.
    change(&pool, "DELETE FROM tb_post WHERE id = 1").await;
    let missing = Post::find_unless(&pool, 1, &"*".parse().unwrap())
        .await
        .unwrap();
    assert!(matches!(missing, FoundUnless::Missing));
    change(&pool, "INSERT INTO tb_post VALUES (1, 5, 'Due')").await;
    assert!(!has(&pool, 1, &first).await);
    let (_, last) = read(&pool, 1).await;
    assert!(has(&pool, 1, &last).await);
}

#[tokio::test]
async fn the_documents_of_another_release_have_other_tags() {
    let pool = posts().await;
    let (_, tag) = read(&pool, 1).await;
    // It is stale for the later one, which builds it: a document without a version.
    let held: IfNoneMatch = tag.parse().unwrap();
    match later::Post::find_unless(&pool, 1, &held).await.unwrap() {
        FoundUnless::Document { json, etag: None } => {
            assert_eq!(json.get(), r#"{"id": 1, "size": 3, "title": "One"}"#);
        }
        other => panic!("{other:?}"),
    }
    // Stored by the later one, it is stale for the earlier one.
    sqlx::raw_sql(AssertSqlSafe(format!(
        "UPDATE tv_post SET shape = '{}'",
        later::Post::statements().shape
    )))
    .execute(&pool)
    .await
    .unwrap();
    match Post::find_unless(&pool, 1, &held).await.unwrap() {
        FoundUnless::Document { json, etag: None } => {
            assert_eq!(json.get(), r#"{"id": 1, "title": "One"}"#);
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn live_documents_have_no_tags() {
    let pool = posts().await;
    let found = Draft::find_unless(&pool, 1, &"\"1-1\"".parse().unwrap())
        .await
        .unwrap();
    assert!(
        matches!(found, FoundUnless::Document { etag: None, .. }),
        "{found:?}"
    );
    let found = Draft::find_unless(&pool, 9, &IfNoneMatch::default())
        .await
        .unwrap();
    assert!(matches!(found, FoundUnless::Missing), "{found:?}");
}

#[tokio::test]
async fn a_tag_of_another_tenant_finds_nothing() {
    let pool = posts().await;
    model::<Ticket>().migrate(&pool).await.unwrap();
    sync_all_tickets(&pool).await.unwrap();
    let readers = Readers::from(pool);
    let none = IfNoneMatch::default();
    let found = Ticket::of(5).find_unless(&readers, 1, &none).await.unwrap();
    let FoundUnless::Document {
        etag: Some(tag), ..
    } = found
    else {
        panic!("{found:?}")
    };
    let held = IfNoneMatch::from(&tag);
    let found = Ticket::of(5).find_unless(&readers, 1, &held).await.unwrap();
    assert!(
        matches!(&found, FoundUnless::Unchanged(same) if *same == tag),
        "{found:?}"
    );
    for held in [&none, &held, &"*".parse().unwrap()] {
        let found = Ticket::of(6).find_unless(&readers, 1, held).await.unwrap();
        assert!(matches!(found, FoundUnless::Missing), "{found:?}");
    }
}
