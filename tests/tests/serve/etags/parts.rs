//! What a tag depends on beside versions: tests with documents that all have the same version.

use async_graphql::{EmptyMutation, EmptySubscription, Schema};
use fraiseql_graphql::Prepared;
use fraiseql_graphql::http::GraphQl;
use fraiseql_runtime::{ReadModel, TView};
use fraiseql_tests::web::{ACCEPT, Server};
use sqlx::{AssertSqlSafe, PgPool};

use super::{Org, Post, Site, database, endpoint, get, is_of_versions, schema, tag};

/// Gives all documents of a table the same version.
async fn same_version(pool: &PgPool, table: &str) {
    let sql = format!("UPDATE {table} SET version = 1, synced_xid = '5'");
    sqlx::query(AssertSqlSafe(sql)).execute(pool).await.unwrap();
}

/// The tags of requests that are answered directly, which are all different.
#[derive(Default)]
struct Tags(Vec<(String, String)>);

impl Tags {
    async fn add(&mut self, server: &Server, parameters: &[(&str, &str)], headers: &[&str]) {
        let answer = get(server, parameters, headers).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let tag = tag(&get(server, parameters, headers).await);
        assert!(is_of_versions(&tag), "{tag}");
        let what = format!("{parameters:?} {headers:?}");
        if let Some((_, other)) = self.0.iter().find(|(known, _)| *known == tag) {
            panic!("one tag for\n{what}\n{other}");
        }
        for (other, _) in &self.0 {
            let mut headers = headers.to_vec();
            let held = format!("If-None-Match: {other}");
            headers.push(&held);
            let answer = get(server, parameters, &headers).await;
            assert_eq!(answer.status, 200, "{what}");
        }
        self.0.push((tag, what));
    }
}

#[tokio::test]
async fn a_tag_is_that_of_the_request() {
    let site = Site::start().await;
    same_version(&site.pool, "tv_post").await;
    let server = &site.server;
    let mut tags = Tags::default();
    for text in [
        "{ post(id: 7) { id title } }",
        "{ post(id: 8) { id title } }",
        "{ post(id: 7) { title id } }",
        "{ a: post(id: 7) { id title } }",
        "{ post(id: 7) { id content } }",
        "{ post(id: 7) { id title } b: post(id: 7) { id } }",
    ] {
        tags.add(server, &[("query", text)], &[]).await;
    }
    tags.add(
        server,
        &[("query", "{ post(id: 7) { id title } }")],
        &[ACCEPT],
    )
    .await;
    let variables = "query ($id: BigInt!, $more: Boolean = false) {
        post(id: $id) { title content @include(if: $more) } }";
    for values in [
        r#"{"id": 7}"#,
        r#"{"id": 8}"#,
        r#"{"id": 7, "more": true}"#,
        r#"{"id": 8, "more": true}"#,
    ] {
        let parameters = [("query", variables), ("variables", values)];
        tags.add(server, &parameters, &[]).await;
    }
    let operations = "query A { post(id: 7) { title } } query B { post(id: 8) { title } }";
    for name in ["A", "B"] {
        let parameters = [("query", operations), ("operationName", name)];
        tags.add(server, &parameters, &[]).await;
    }
}

#[tokio::test]
async fn a_tag_is_that_of_the_tenant() {
    let site = Site::start().await;
    same_version(&site.pool, "tv_ticket").await;
    let query = [("query", "{ ticket(no: 1) { title } }")];
    let mut tags = Tags::default();
    for org in ["X-Org: 1", "X-Org: 2", "X-Org: 3"] {
        tags.add(&site.server, &query, &[org]).await;
    }
    // Whoever has the tag of another tenant gets what it may see.
    for (tag, _) in &tags.0 {
        let held = format!("If-None-Match: {tag}");
        let own = get(&site.server, &query, &["X-Org: 4", &held]).await;
        assert_eq!(
            (own.status, own.text()),
            (200, r#"{"data":{"ticket":null}}"#.to_owned())
        );
    }
}

#[tokio::test]
async fn a_tag_is_that_of_the_form_of_big_integers() {
    let pool = database().await;
    same_version(&pool, "tv_post").await;
    let mut tags = Tags::default();
    for strings in [false, true] {
        let prepared = Prepared::default().big_ints_as_strings(strings);
        let server = Server::start(endpoint(schema(&pool, prepared).finish())).await;
        tags.add(&server, &[("query", "{ post(id: 7) { id } }")], &[])
            .await;
    }
}

#[tokio::test]
async fn a_tag_is_that_of_the_database() {
    let mut tags = Tags::default();
    for _ in 0..2 {
        let site = Site::start().await;
        same_version(&site.pool, "tv_post").await;
        let query = [("query", "{ post(id: 7) { id } }")];
        tags.add(&site.server, &query, &[]).await;
    }
}

/// Another release of the application.
mod later {
    use fraiseql_runtime::TView;

    /// The same document, whose type has another name.
    #[derive(Debug, TView)]
    #[tview(type_name = "Article")]
    #[allow(dead_code)]
    pub(super) struct Post {
        id: i64,
        #[tview(filter, sort)]
        title: String,
        content: String,
    }
}

/// Another shape of the document.
mod longer {
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

fn release<T: TView + fraiseql_runtime::view::WithoutTenant>(
    pool: &PgPool,
) -> GraphQl<Schema<fraiseql_graphql::Query<(T,)>, EmptyMutation, EmptySubscription>> {
    let query = fraiseql_graphql::Query::<(T,)>::new(pool.clone());
    let prepared = Prepared::default().validate_once(true).direct(true);
    let schema = Schema::build(query, EmptyMutation, EmptySubscription);
    GraphQl::new(schema.extension(prepared).finish())
        .with_data(|_| async { Ok::<_, axum::http::StatusCode>(Org(1)) })
}

#[tokio::test]
async fn a_tag_is_that_of_the_release() {
    let pool = database().await;
    same_version(&pool, "tv_post").await;
    let query = [("query", "{ post(id: 7) { __typename content } }")];
    let mut tags = Tags::default();
    tags.add(&Server::start(release::<Post>(&pool)).await, &query, &[])
        .await;
    // The documents of this one have the same shape.
    let renamed = Server::start(release::<later::Post>(&pool)).await;
    tags.add(&renamed, &query, &[]).await;
    // For this one they are stale, and then built by it, in the same version.
    let longer = Server::start(release::<longer::Post>(&pool)).await;
    let built = tag(&get(&longer, &query, &[]).await);
    assert!(!is_of_versions(&built));
    let model = ReadModel::builder().view::<longer::Post>();
    let model = model.build().unwrap();
    model.migrate(&pool).await.unwrap();
    model.sync_all(&pool).await.unwrap();
    same_version(&pool, "tv_post").await;
    tags.add(&longer, &query, &[]).await;
}
