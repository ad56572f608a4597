//! Tags of everything that is not made of versions: lists, connections, live views, resolvers of the application.

use async_graphql::{EmptyMutation, EmptySubscription, Schema};
use fraiseql_graphql::Prepared;
use fraiseql_graphql::http::GraphQl;
use fraiseql_runtime::ReadModel;
use fraiseql_tests::executed::Executed;
use fraiseql_tests::web::Server;

use super::{Site, endpoint, get, is_of_versions, schema, tag};

#[tokio::test]
async fn other_responses_have_a_tag_of_their_bytes() {
    let site = Site::start().await;
    for query in [
        "{ posts { id title } }",
        "{ posts(limit: 1) { content } post(id: 7) { content } }",
        "{ postsConnection(first: 2) { nodes { title } } }",
        "{ draft(id: 7) { title } }",
        "{ post(id: 7) { title } draft(id: 7) { id } }",
        "{ post(id: 7) { title } version }",
        "{ post(id: 7) { title } __typename }",
        "{ version }",
        "{ __schema { queryType { name } } }",
    ] {
        let first = site.get(query, &[]).await;
        let held = tag(&first);
        assert!(!is_of_versions(&held), "{query}: {held}");
        for _ in 0..2 {
            let again = site.unless(query, &held).await;
            assert_eq!((again.status, &*again.text()), (304, ""), "{query}");
            assert_eq!(again.header("etag"), held);
        }
        let other = site.unless(query, &held.replace("W/\"", "W/\"0")).await;
        assert_eq!((other.status, other.body), (200, first.body), "{query}");
    }
}

#[tokio::test]
async fn the_tag_of_a_list_changes_with_what_it_shows() {
    let site = Site::start().await;
    let query = "{ posts(limit: 3) { title } }";
    let first = tag(&site.direct(query).await);
    // What is not shown does not matter, nor does a document that becomes another one and back.
    site.change("UPDATE tb_post SET content = 'New' WHERE id = 1")
        .await;
    assert_eq!(site.unless(query, &first).await.status, 304);
    site.change("UPDATE tb_post SET title = 'New' WHERE id = 1")
        .await;
    let second = tag(&site.unless(query, &first).await);
    site.change("UPDATE tb_post SET title = 'Post 1' WHERE id = 1")
        .await;
    assert_eq!(site.unless(query, &second).await.status, 200);
    assert_eq!(site.unless(query, &first).await.status, 304);
}

/// The same table, of a release with another field.
mod later {
    use fraiseql_runtime::TView;

    #[derive(Debug, TView)]
    #[allow(dead_code)]
    pub(super) struct Post {
        id: i64,
        #[tview(filter, sort)]
        title: String,
        content: String,
        #[tview(expr = "length({}.content)")]
        size: i32,
    }
}

#[tokio::test]
async fn a_stale_document_has_a_tag_of_its_bytes() {
    let site = Site::start().await;
    let query = fraiseql_graphql::Query::<(later::Post,)>::new(site.pool.clone());
    let prepared = Prepared::default().validate_once(true).direct(true);
    let executed = Executed::default();
    let schema = Schema::build(query, EmptyMutation, EmptySubscription)
        .extension(executed.clone())
        .extension(prepared)
        .finish();
    let server = Server::start(GraphQl::new(schema)).await;
    let ask = async |headers: &[&str]| {
        let query = "{ post(id: 7) { title size } }";
        get(&server, &[("query", query)], headers).await
    };
    ask(&[]).await;
    let held = tag(&ask(&[]).await);
    assert!(!is_of_versions(&held));
    let has = format!("If-None-Match: {held}");
    assert_eq!(ask(&[&has]).await.status, 304);
    // The older release writes a document that the later one still builds.
    site.change("UPDATE tb_post SET content = 'A longer one' WHERE id = 7")
        .await;
    let changed = ask(&[&has]).await;
    assert!(changed.text().contains("\"size\":12"), "{}", changed.text());
    // Its row is gone, while the stored document is still there.
    sqlx::query("DELETE FROM tb_post WHERE id = 7")
        .execute(&site.pool)
        .await
        .unwrap();
    let gone = ask(&[&has]).await;
    assert_eq!(gone.text(), r#"{"data":{"post":null}}"#);
    let gone = format!("If-None-Match: {}", tag(&gone));
    assert_eq!(ask(&[&gone]).await.status, 304);
    // Stored by the later release, it has a version.
    let model = ReadModel::builder().view::<later::Post>().build().unwrap();
    model.migrate(&site.pool).await.unwrap();
    let sql = "INSERT INTO tb_post VALUES (7, 'Again', 'Again')";
    sqlx::query(sql).execute(&site.pool).await.unwrap();
    model.sync_all(&site.pool).await.unwrap();
    let stored = ask(&[&gone]).await;
    assert!(stored.text().contains("\"size\":5"), "{}", stored.text());
    assert!(is_of_versions(&tag(&stored)));
    assert_eq!(executed.count(), 1, "all but the first are direct");
}

#[tokio::test]
async fn without_direct_answers_all_tags_are_of_bytes() {
    let site = Site::start().await;
    let schema = schema(&site.pool, Prepared::default()).finish();
    let server = Server::start(endpoint(schema).keep(0)).await;
    let ask = async |headers: &[&str]| {
        let query = [("query", "{ post(id: 7) { title } }")];
        get(&server, &query, headers).await
    };
    let held = tag(&ask(&[]).await);
    assert!(!is_of_versions(&held));
    let has = format!("If-None-Match: {held}");
    for _ in 0..2 {
        assert_eq!(ask(&[&has]).await.status, 304);
    }
}
