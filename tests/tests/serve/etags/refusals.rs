//! A request that has a tag is checked as any other, before it is told that nothing has changed.

use fraiseql_graphql::Prepared;
use fraiseql_graphql::http::TrustedDocuments;
use fraiseql_tests::web::{ACCEPT, Server};

use super::{Site, endpoint, get, is_of_versions, schema, tag};

const ONE: &str = "{ post(id: 7) { content } }";

#[tokio::test]
async fn a_client_that_is_refused_is_not_told_that_nothing_has_changed() {
    let site = Site::start().await;
    for query in [ONE, "{ posts { content } }"] {
        let held = format!("If-None-Match: {}", tag(&site.direct(query).await));
        for header in [&*held, "If-None-Match: *"] {
            let refused = site.get(query, &[header, "X-Banned: 1"]).await;
            assert_eq!((refused.status, &*refused.header("etag")), (403, ""));
            let malformed = site.get(query, &[header, "fraiseql-position: x"]).await;
            assert_eq!((malformed.status, &*malformed.header("etag")), (400, ""));
            assert_eq!(site.get(query, &[header]).await.status, 304);
        }
    }
}

#[tokio::test]
async fn only_trusted_documents_have_tags_if_no_others_are_executed() {
    let site = Site::start().await;
    let schema = schema(&site.pool, Prepared::default()).finish();
    let text = "query One($id: BigInt!) { post(id: $id) { content } }";
    let documents = TrustedDocuments::new().document("x-web:One", text);
    let endpoint = endpoint(schema).trusted(documents).await.unwrap();
    let server = Server::start(endpoint.only_trusted(true)).await;
    let by_id = [("documentId", "x-web:One"), ("variables", r#"{"id": 7}"#)];
    get(&server, &by_id, &[]).await;
    let held = tag(&get(&server, &by_id, &[]).await);
    assert!(is_of_versions(&held));
    let has = format!("If-None-Match: {held}");
    assert_eq!(get(&server, &by_id, &[&has]).await.status, 304);
    // It is the same document.
    let by_text = [("query", text), ("variables", r#"{"id": 7}"#)];
    assert_eq!(get(&server, &by_text, &[&has]).await.status, 304);
    for (parameters, status) in [
        (&[("query", ONE)][..], 403),
        (&[("documentId", "x-web:Two")], 404),
    ] {
        let refused = get(&server, parameters, &["If-None-Match: *"]).await;
        assert_eq!((refused.status, &*refused.header("etag")), (status, ""));
    }
}

#[tokio::test]
async fn a_query_that_exceeds_a_limit_is_refused_whatever_the_client_has() {
    let site = Site::start().await;
    let query = "query ($n: Int!) { posts(limit: $n) { content } }";
    let schema = schema(&site.pool, Prepared::default());
    let server = Server::start(endpoint(schema.limit_complexity(5).finish())).await;
    let ask = async |n: &str, headers: &[&str]| {
        let parameters = [("query", query), ("variables", n)];
        get(&server, &parameters, headers).await
    };
    for _ in 0..2 {
        assert_eq!(ask(r#"{"n": 3}"#, &[]).await.status, 200);
    }
    let refused = ask(r#"{"n": 50}"#, &[ACCEPT, "If-None-Match: *"]).await;
    assert_eq!((refused.status, &*refused.header("etag")), (400, ""));
    assert!(refused.text().contains("too complex"), "{}", refused.text());
}
