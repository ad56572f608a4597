//! What the root fields of subscriptions send, without a protocol.

use async_graphql::{MergedSubscription, Response, Schema};
use fraiseql_graphql::{Live, Prepared, Query};
use futures_util::{Stream, StreamExt as _};
use serde_json::{Value, json};

use super::{World, soon, sync_line, world};

fn value(response: &Response) -> Value {
    serde_json::to_value(response).unwrap()
}

async fn next(stream: &mut (impl Stream<Item = Response> + Unpin)) -> Value {
    value(&soon(stream.next()).await.expect("the stream has ended"))
}

/// Asserts that nothing comes for a while.
async fn nothing(stream: &mut (impl Stream<Item = Response> + Unpin)) {
    let wait = std::time::Duration::from_millis(300);
    if let Ok(next) = tokio::time::timeout(wait, stream.next()).await {
        panic!("unexpected: {next:?}");
    }
}

#[tokio::test]
async fn a_document_is_sent_again_when_what_is_selected_has_changed() {
    let world = world().await;
    let query = "subscription ($id: BigInt!) { it: post(id: $id) { title author { name } } }";
    let request = async_graphql::Request::new(query);
    let variables = async_graphql::Variables::from_json(json!({"id": 3}));
    let mut post = world.schema.execute_stream(request.variables(variables));
    let post_of = |title: &str, name: &str| json!({"data": {"it": {"title": title, "author": {"name": name}}}});
    assert_eq!(next(&mut post).await, post_of("Post 3", "Bob"));
    world.title(3, "New").await;
    assert_eq!(next(&mut post).await, post_of("New", "Bob"));
    // Of a field that is not selected, and of another document.
    fraiseql_tests::run(&world.pool, "UPDATE tb_post SET words = 77 WHERE id = 3").await;
    world.title(3, "New").await;
    world.title(4, "Other").await;
    nothing(&mut post).await;
    fraiseql_tests::run(&world.pool, "DELETE FROM tb_post WHERE id = 3").await;
    super::sync_post(&world.pool, &[3]).await.unwrap();
    assert_eq!(next(&mut post).await, json!({"data": {"it": null}}));
}

#[tokio::test]
async fn a_list_is_sent_again_when_it_has_changed() {
    let world = world().await;
    let query = r#"subscription {
        posts(where: {title: {gte: "Post 8"}}, orderBy: [{title: DESC}], limit: 2) { title }
    }"#;
    let mut posts = world.schema.execute_stream(query);
    let list = |titles: &[&str]| {
        let posts: Vec<_> = titles.iter().map(|title| json!({"title": title})).collect();
        json!({"data": {"posts": posts}})
    };
    assert_eq!(next(&mut posts).await, list(&["Post 9", "Post 8"]));
    world.title(1, "Q").await;
    assert_eq!(next(&mut posts).await, list(&["Q", "Post 9"]));
    world.title(2, "A").await;
    nothing(&mut posts).await;
    world.title(1, "B").await;
    assert_eq!(next(&mut posts).await, list(&["Post 9", "Post 8"]));
}

#[tokio::test]
async fn changes_have_the_key_and_the_document() {
    let world = world().await;
    let query = "subscription { postChanged { kind id document { id title } } }";
    let mut changes = world.schema.execute_stream(query);
    let change = |kind, id: Option<i64>, title: Option<&str>| {
        let document = title.map(|title| json!({"id": id, "title": title}));
        json!({"data": {"postChanged": {"kind": kind, "id": id, "document": document}}})
    };
    assert_eq!(next(&mut changes).await, change("RESET", None, None));
    world.title(3, "New").await;
    assert_eq!(
        next(&mut changes).await,
        change("CHANGED", Some(3), Some("New"))
    );
    fraiseql_tests::run(&world.pool, "DELETE FROM tb_post WHERE id = 3").await;
    super::sync_post(&world.pool, &[3]).await.unwrap();
    assert_eq!(next(&mut changes).await, change("DELETED", Some(3), None));
    fraiseql_tests::run(&world.pool, "TRUNCATE tv_post").await;
    assert_eq!(next(&mut changes).await, change("RESET", None, None));
}

/// A key of several columns, documents of the type `json`, and quotes in a key.
#[tokio::test]
async fn changes_of_documents_with_several_key_columns() {
    let world = world().await;
    let query = "subscription { lineChanged { document { quantity } product orderId kind } }";
    let mut changes = world.schema.execute_stream(query);
    assert_eq!(
        next(&mut changes).await["data"]["lineChanged"]["kind"],
        "RESET"
    );
    let mut line = world
        .schema
        .execute_stream(r#"subscription { line(orderId: 1, product: "a \"b\"") { quantity } }"#);
    assert_eq!(
        next(&mut line).await,
        json!({"data": {"line": {"quantity": 4}}})
    );
    fraiseql_tests::run(
        &world.pool,
        "UPDATE tb_line SET quantity = 5 WHERE quantity = 4",
    )
    .await;
    let key = (1, "a \"b\"".to_owned());
    sync_line(&world.pool, &[key]).await.unwrap();
    assert_eq!(
        next(&mut changes).await,
        json!({"data": {"lineChanged": {
            "document": {"quantity": 5}, "product": "a \"b\"", "orderId": 1, "kind": "CHANGED"
        }}})
    );
    assert_eq!(
        next(&mut line).await,
        json!({"data": {"line": {"quantity": 5}}})
    );
}

async fn only(world: &World, query: &str) -> Value {
    let mut stream = world.schema.execute_stream(query);
    let first = next(&mut stream).await;
    assert!(soon(stream.next()).await.is_none(), "{first}");
    first
}

#[tokio::test]
async fn a_wrong_argument_is_an_error_and_the_end() {
    let world = world().await;
    let error = only(&world, "subscription { posts(limit: 101) { id } }").await;
    assert_eq!(
        error["errors"][0]["extensions"]["code"], "BAD_USER_INPUT",
        "{error}"
    );
    assert_eq!(error["errors"][0]["path"], json!(["posts"]));
    let error = only(&world, r#"subscription { post(id: "seven") { id } }"#).await;
    assert_eq!(
        error["errors"][0]["extensions"]["code"], "BAD_USER_INPUT",
        "{error}"
    );
    let error = only(&world, "subscription { post(id: 1) { nothing } }").await;
    assert!(
        error["errors"][0]["message"]
            .as_str()
            .unwrap()
            .contains("nothing"),
        "{error}"
    );
    let error = only(&world, "subscription { post(id: 1) { id } posts { id } }").await;
    assert!(error["errors"].is_array(), "{error}");
    assert_eq!(world.feed.health().streams, 0);
}

/// While the documents cannot be read, the client is told once, and afterwards it has what is stored.
#[tokio::test]
async fn an_error_of_the_database_is_sent_once_and_passes() {
    let world = world().await;
    let mut post = world
        .schema
        .execute_stream("subscription { post(id: 3) { title } }");
    next(&mut post).await;
    fraiseql_tests::run(
        &world.pool,
        "ALTER TABLE tv_post RENAME COLUMN data TO gone",
    )
    .await;
    fraiseql_tests::run(
        &world.pool,
        "UPDATE tv_post SET gone = jsonb_set(gone, '{title}', '\"New\"') WHERE id = 3",
    )
    .await;
    let error = next(&mut post).await;
    assert_eq!(error["data"], json!({"post": null}), "{error}");
    assert_eq!(error["errors"].as_array().unwrap().len(), 1);
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    fraiseql_tests::run(
        &world.pool,
        "ALTER TABLE tv_post RENAME COLUMN gone TO data",
    )
    .await;
    assert_eq!(
        next(&mut post).await,
        json!({"data": {"post": {"title": "New"}}})
    );
}

#[tokio::test]
async fn the_fields_can_be_merged_with_those_of_the_application() {
    #[derive(Default)]
    struct Own;

    #[async_graphql::Subscription]
    impl Own {
        async fn count(&self) -> impl Stream<Item = i32> + use<> {
            futures_util::stream::iter(1..=3)
        }
    }

    #[derive(MergedSubscription)]
    struct Merged(Live<(super::Post,)>, Own);

    let world = world().await;
    let query = Query::<(super::Post,)>::new(world.pool.clone());
    let merged = Merged(Live::new(world.feed.clone()).max_page(5), Own);
    let schema = Schema::build(query, async_graphql::EmptyMutation, merged)
        .extension(Prepared::default())
        .finish();
    let mut counts = schema.execute_stream("subscription { count }");
    for count in 1..=3 {
        assert_eq!(next(&mut counts).await, json!({"data": {"count": count}}));
    }
    let mut post = schema.execute_stream("subscription { post(id: 3) { title } }");
    assert_eq!(
        next(&mut post).await,
        json!({"data": {"post": {"title": "Post 3"}}})
    );
    let mut list = schema.execute_stream("subscription { posts(limit: 6) { title } }");
    assert!(next(&mut list).await["errors"].is_array());
    let sdl = schema.sdl();
    assert!(!sdl.contains("_Live"), "{sdl}");
}

#[tokio::test]
async fn the_types_of_subscriptions() {
    let sdl = world().await.schema.sdl();
    let from = |start: &str| {
        let at = sdl.find(start).unwrap_or_else(|| panic!("{sdl}"));
        let end = sdl[at..].find("\n}\n").unwrap();
        sdl[at..at + end + 2].to_owned()
    };
    let types = [
        from("type Subscription {"),
        from("type LineChange {"),
        from("type PostChange {"),
        from("enum ChangeKind {"),
    ];
    insta::assert_snapshot!(types.join("\n\n"));
}

#[derive(Debug, fraiseql_runtime::TView)]
#[tview(
    table = "tb_post",
    storage = "live",
    entity = "built",
    plural = "builts"
)]
#[allow(dead_code)]
struct Built {
    id: i64,
}

#[tokio::test]
#[should_panic(expected = "its documents are not in a table")]
async fn documents_that_are_not_stored_cannot_be_in_a_subscription() {
    let world = world().await;
    let _ = Live::<(Built,)>::new(world.feed.clone());
}

/// Subscriptions of the same documents share their reads, and each has what it selects.
#[tokio::test]
async fn many_subscriptions_of_a_document_are_few_reads() {
    let world = world().await;
    let mut streams = Vec::new();
    for number in 0..300 {
        let query = match number % 3 {
            0 => "subscription { post(id: 3) { title author { name } } }",
            1 => "subscription { a: post(id: 3) { name: title author { name } } }",
            _ => "subscription { posts(limit: 3) { id title author { id } } }",
        };
        let mut stream = world.schema.execute_stream(query);
        next(&mut stream).await;
        streams.push((number, stream));
    }
    let traced = crate::traced::Traced::start("fraiseql::sync");
    world.title(3, "New").await;
    let seen = streams.iter_mut().map(async |(number, stream)| {
        let seen = next(stream).await;
        let title = match *number % 3 {
            0 => &seen["data"]["post"]["title"],
            1 => &seen["data"]["a"]["name"],
            _ => &seen["data"]["posts"][2]["title"],
        };
        assert_eq!(title, "New", "{seen}");
    });
    futures_util::future::join_all(seen).await;
    let sent = traced.take();
    let reads = sent
        .iter()
        .filter(|it| it.contains("statement") && it.contains("LIMIT"));
    let reads = reads.filter(|it| it.contains("tv_post")).count();
    assert!((2..=12).contains(&reads), "{reads}: {sent:?}");
}
