//! Tags that are made of the versions of documents.

use fraiseql_graphql::Prepared;
use fraiseql_tests::web::Server;

use super::{Site, endpoint, get, is_of_versions, schema, statements, tag};
use crate::traced::Traced;

const ONE: &str = "{ post(id: 7) { title } }";
/// The content is not in a column, so that documents are read.
const WHOLE: &str = "{ post(id: 7) { id content } }";

#[tokio::test]
async fn a_client_that_has_the_document_is_told_so_by_one_statement() {
    let site = Site::start().await;
    let traced = Traced::start("fraiseql::sync");
    for query in [ONE, WHOLE, "{ post(id: 700) { content } }"] {
        let answer = site.direct(query).await;
        let tag = tag(&answer);
        assert!(is_of_versions(&tag), "{tag}");
        let executed = site.executed.count();
        traced.take();
        for _ in 0..3 {
            let unchanged = site.unless(query, &tag).await;
            assert_eq!(unchanged.status, 304, "{query}: {}", unchanged.text());
            assert_eq!(unchanged.header("etag"), tag);
        }
        let sent = statements(&traced);
        assert_eq!(sent.len(), 3, "{sent:#?}");
        assert!(sent.iter().all(|it| it.contains("<> ALL (")), "{sent:#?}");
        assert_eq!(site.executed.count(), executed);
        // Without the tag, the same request is one statement as well.
        assert_eq!(site.get(query, &[]).await.body, answer.body);
        assert_eq!(statements(&traced).len(), 1);
    }
}

#[tokio::test]
async fn a_document_that_the_client_has_is_not_received() {
    let site = Site::start().await;
    site.change("UPDATE tb_post SET content = repeat('x', 200000) WHERE id = 8")
        .await;
    let query = "query ($id: BigInt!) { post(id: $id) { id content } }";
    let ask = async |server: &Server, id: &str, headers: &[&str]| {
        let parameters = [("query", query), ("variables", id)];
        get(server, &parameters, headers).await
    };
    // No document of this size fits into a response of this endpoint.
    let schema = schema(&site.pool, Prepared::default()).finish();
    let small = Server::start(endpoint(schema).max_response(1_000)).await;
    for server in [&site.server, &small] {
        let answer = ask(server, r#"{"id": 7}"#, &[]).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let large = r#"{"id": 8}"#;
    let tag = tag(&ask(&site.server, large, &[]).await);
    assert!(is_of_versions(&tag), "{tag}");
    let refused = ask(&small, large, &[]).await;
    assert!(refused.text().contains("RESPONSE_TOO_LARGE"));
    assert_eq!(refused.header("etag"), "");
    let has = format!("If-None-Match: {tag}");
    assert_eq!(ask(&small, large, &[&has]).await.status, 304);
}

#[tokio::test]
async fn a_tag_changes_with_its_document() {
    let site = Site::start().await;
    for query in [ONE, WHOLE] {
        let first = tag(&site.direct(query).await);
        // Neither a sync of equal documents nor another document changes it.
        site.change("UPDATE tb_post SET title = title || '!' WHERE id = 8")
            .await;
        assert_eq!(site.unless(query, &first).await.status, 304);

        site.change("UPDATE tb_post SET title = 'New', content = 'New' WHERE id = 7")
            .await;
        let changed = site.unless(query, &first).await;
        assert!(changed.text().contains("New"), "{}", changed.text());
        let changed = tag(&changed);

        site.change("DELETE FROM tb_post WHERE id = 7").await;
        let missing = site.unless(query, &changed).await;
        assert_eq!(missing.text(), r#"{"data":{"post":null}}"#);
        let missing = tag(&missing);
        assert_eq!(site.unless(query, &missing).await.status, 304);

        // The version begins again, and the tag is another one all the same.
        site.change("INSERT INTO tb_post VALUES (7, 'Again', 'Again')")
            .await;
        for old in [&first, &changed, &missing] {
            let again = site.unless(query, old).await;
            assert!(again.text().contains("Again"), "{}", again.text());
        }
        // No document is the same as no document.
        site.change("DELETE FROM tb_post WHERE id = 7").await;
        assert_eq!(site.unless(query, &missing).await.status, 304);
        site.change("INSERT INTO tb_post VALUES (7, 'Post 7', 'Content 7')")
            .await;
    }
}

#[tokio::test]
async fn a_client_with_some_of_the_documents_gets_all_of_them() {
    let site = Site::start().await;
    let query = "{ a: post(id: 1) { content } b: post(id: 2) { content } c: post(id: 99) { id } \
                 ticket(no: 1) { title } }";
    let first = site.direct(query).await;
    let held = tag(&first);
    assert!(is_of_versions(&held), "{held}");
    let traced = Traced::start("fraiseql::sync");
    assert_eq!(site.unless(query, &held).await.status, 304);
    assert_eq!(statements(&traced).len(), 4);
    site.change("UPDATE tb_post SET content = 'New' WHERE id = 2")
        .await;
    traced.take();
    let executed = site.executed.count();
    let second = site.unless(query, &held).await;
    // Each is read again.
    assert_eq!(statements(&traced).len(), 8);
    assert_eq!(site.executed.count(), executed);
    assert_eq!(
        second.text(),
        first.text().replace("Content 2", "New"),
        "{}",
        first.text()
    );
    let both = format!("{held}, {}", tag(&second));
    assert_eq!(site.unless(query, &both).await.status, 304);
    assert_eq!(site.unless(query, &held).await.body, second.body);
}

#[tokio::test]
async fn the_first_request_has_a_tag_of_its_body() {
    let site = Site::start().await;
    let first = tag(&site.get(ONE, &[]).await);
    assert!(!is_of_versions(&first));
    let second = tag(&site.unless(ONE, &first).await);
    assert!(is_of_versions(&second));
    assert_eq!(site.unless(ONE, &second).await.status, 304);
}
