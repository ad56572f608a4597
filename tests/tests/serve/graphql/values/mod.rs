//! Tests that resolvers return documents as values, and the schema has the types of their structs.

mod validation;

use async_graphql::{EmptyMutation, EmptySubscription, Interface, Object, Schema, SimpleObject};
use fraiseql_graphql::{Prepared, TvDoc, TvList};
use fraiseql_runtime::{Embed, TView};
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// What somebody wrote.
///
/// It has an author.
#[derive(TView)]
#[tview(table = "tb_post")]
pub(crate) struct Post {
    pub(crate) id: uuid::Uuid,
    /// The first thing that is read of it.
    pub(crate) title: String,
    #[tview(one(fk = "author_id"))]
    pub(crate) author: Author,
    #[tview(one(fk = "editor_id"))]
    pub(crate) editor: Option<Author>,
    #[tview(many(fk = "post_id"))]
    pub(crate) comments: Vec<Comment>,
    pub(crate) tags: Vec<String>,
    pub(crate) meta: Option<Value>,
}

#[derive(Embed)]
#[tview(table = "tb_user")]
pub(crate) struct Author {
    pub(crate) id: i64,
    pub(crate) name: String,
}

#[derive(Embed)]
#[tview(table = "tb_comment")]
pub(crate) struct Comment {
    pub(crate) id: i64,
    pub(crate) content: String,
    #[tview(one(fk = "author_id"))]
    pub(crate) author: Option<Author>,
}

fn post(number: u128) -> Value {
    json!({
        "id": uuid::Uuid::from_u128(number),
        "title": format!("Post {number}"),
        "author": {"id": 1, "name": "Ada"},
        "editor": null,
        "comments": [
            {"id": 10, "content": "first", "author": {"id": 2, "name": "Bob"}},
            {"id": 11, "content": "second", "author": null},
        ],
        "tags": ["a", "b"],
        "meta": {"id": 99, "title": {"deep": [1, null]}},
    })
}

fn raw(value: &Value) -> Box<RawValue> {
    serde_json::value::to_raw_value(value).unwrap()
}

struct Query {
    documents: Vec<Value>,
}

#[Object]
impl Query {
    async fn post(&self) -> Option<TvDoc<Post>> {
        self.documents.first().map(|one| raw(one).into())
    }

    async fn posts(&self) -> TvList<Post> {
        self.documents.iter().map(raw).collect()
    }

    async fn nested(&self) -> Vec<Vec<TvDoc<Post>>> {
        let documents = self.documents.iter();
        vec![Vec::new(), documents.map(|one| raw(one).into()).collect()]
    }

    async fn shelf(&self) -> Shelf {
        Shelf {
            name: "new",
            posts: self.documents.iter().map(raw).collect(),
        }
    }

    async fn things(&self) -> Vec<Thing> {
        let shelf = Shelf {
            name: "new",
            posts: self.documents.iter().map(raw).collect(),
        };
        vec![Thing::Shelf(shelf), Thing::Crate(Crate { name: "old" })]
    }

    /// One that is ready after those behind it.
    async fn slow(&self) -> i32 {
        tokio::task::yield_now().await;
        1
    }

    async fn broken(&self) -> async_graphql::Result<i32> {
        Err("it is broken".into())
    }

    async fn fragile(&self) -> Option<async_graphql::Result<i32>> {
        Some(Err("it is fragile".into()))
    }
}

#[derive(SimpleObject)]
struct Shelf {
    name: &'static str,
    posts: TvList<Post>,
}

#[derive(SimpleObject)]
struct Crate {
    name: &'static str,
}

#[derive(Interface)]
#[graphql(field(name = "name", ty = "&&'static str"))]
enum Thing {
    Shelf(Shelf),
    Crate(Crate),
}

type Served = Schema<Query, EmptyMutation, EmptySubscription>;

fn served_with(documents: Vec<Value>) -> Served {
    Schema::build(Query { documents }, EmptyMutation, EmptySubscription)
        .extension(Prepared::default())
        .finish()
}

fn served() -> Served {
    served_with(vec![post(1), post(2)])
}

async fn answered(query: &str) -> Value {
    let answer = served().execute(query).await;
    assert_eq!(answer.errors, [], "{query}");
    serde_json::to_value(&answer.data).unwrap()
}

/// The text of the response, for tests in which the order of fields matters.
async fn text(schema: &Served, request: impl Into<async_graphql::Request>) -> String {
    let answer = schema.execute(request).await;
    serde_json::to_string(&answer).unwrap()
}

#[tokio::test]
async fn a_response_has_the_selected_fields_of_a_document() {
    assert_eq!(
        text(
            &served(),
            "{ post { title n: id author { name } comments { author { name } } } }"
        )
        .await,
        r#"{"data":{"post":{"title":"Post 1","n":"00000000-0000-0000-0000-000000000001","author":{"name":"Ada"},"comments":[{"author":{"name":"Bob"}},{"author":null}]}}}"#
    );
}

#[tokio::test]
async fn a_struct_has_its_type_in_the_schema() {
    insta::assert_snapshot!(served().sdl());
}

#[tokio::test]
async fn fields_of_the_same_name_are_merged() {
    assert_eq!(
        answered("{ posts { title } posts { author { id } } posts { author { name } } }").await,
        json!({"posts": [
            {"title": "Post 1", "author": {"id": 1, "name": "Ada"}},
            {"title": "Post 2", "author": {"id": 1, "name": "Ada"}},
        ]})
    );
    assert_eq!(
        answered("{ shelf { posts { title } } ...S shelf { name } } fragment S on Query { shelf { posts { tags } } }").await,
        json!({"shelf": {"name": "new", "posts": [
            {"title": "Post 1", "tags": ["a", "b"]},
            {"title": "Post 2", "tags": ["a", "b"]},
        ]}})
    );
}

#[tokio::test]
async fn fields_of_the_same_name_in_different_objects_are_not_merged() {
    let query = "{ things { __typename
        ... on Shelf { posts { title } }
        ... on Shelf { posts { tags } }
        ... on Thing { name } } }";
    assert_eq!(
        answered(query).await,
        json!({"things": [
            {"__typename": "Shelf", "name": "new", "posts": [
                {"title": "Post 1", "tags": ["a", "b"]},
                {"title": "Post 2", "tags": ["a", "b"]},
            ]},
            {"__typename": "Crate", "name": "old"},
        ]})
    );
}

#[tokio::test]
async fn typename_is_that_of_each_object() {
    assert_eq!(
        answered(
            "{ __typename post { __typename author { __typename } comments { t: __typename } } }"
        )
        .await,
        json!({"__typename": "Query", "post": {
            "__typename": "Post",
            "author": {"__typename": "Author"},
            "comments": [{"t": "Comment"}, {"t": "Comment"}],
        }})
    );
}

#[tokio::test]
async fn fragments_and_directives_are_applied() {
    let query = "query ($yes: Boolean = true, $no: Boolean!) {
        post {
            ...P
            id @skip(if: $yes)
            tags @include(if: $no)
            ... on Post @include(if: $yes) { author { ... @skip(if: $no) { name } } }
        }
    }
    fragment P on Post { title }";
    let request = async_graphql::Request::new(query)
        .variables(async_graphql::Variables::from_json(json!({"no": false})));
    assert_eq!(
        text(&served(), request).await,
        r#"{"data":{"post":{"title":"Post 1","author":{"name":"Ada"}}}}"#
    );
}

#[tokio::test]
async fn fields_have_the_order_of_the_query() {
    assert_eq!(
        text(&served(), "{ slow b: slow post { id } __typename a: slow }").await,
        r#"{"data":{"slow":1,"b":1,"post":{"id":"00000000-0000-0000-0000-000000000001"},"__typename":"Query","a":1}}"#
    );
}

#[tokio::test]
async fn a_root_field_that_fails_makes_itself_or_all_data_null() {
    let answer = served().execute("{ slow broken }").await;
    assert_eq!(answer.data, async_graphql::Value::Null);
    assert_eq!(answer.errors[0].message, "it is broken");
    let answer = served().execute("{ slow fragile }").await;
    assert_eq!(answer.data.to_string(), "{slow: 1, fragile: null}");
    assert_eq!(answer.errors.len(), 1);
}

#[tokio::test]
async fn a_null_in_a_required_field_makes_the_enclosing_object_null() {
    let mut document = post(1);
    document["comments"][0]["author"]["name"] = Value::Null;
    let schema = served_with(vec![post(2), document.clone()]);
    let answer = schema
        .execute("{ posts { comments { author { name } } } }")
        .await;
    assert_eq!(answer.errors.len(), 1);
    assert_eq!(
        serde_json::to_value(&answer.errors[0].path).unwrap(),
        json!(["posts", 1, "comments", 0, "author", "name"])
    );
    assert_eq!(
        serde_json::to_value(&answer.data).unwrap()["posts"][1],
        json!({"comments": [{"author": null}, {"author": null}]})
    );

    document["title"] = Value::Null;
    let schema = served_with(vec![document]);
    // `post` is nullable; `posts` is not, and is the only field of the query.
    let answer = schema.execute("{ post { title } }").await;
    assert_eq!(answer.data.to_string(), "{post: null}");
    assert_eq!(
        serde_json::to_value(&answer.errors[0].path).unwrap(),
        json!(["post", "title"])
    );
    let answer = schema.execute("{ posts { title } }").await;
    assert_eq!(answer.data, async_graphql::Value::Null);
    assert_eq!(answer.errors.len(), 1);
}

#[tokio::test]
async fn a_cached_query_is_executed_with_the_new_variables() {
    let schema = served();
    let query = "query ($yes: Boolean!) { post { id @include(if: $yes) title } }";
    let ask = |yes: bool| {
        async_graphql::Request::new(query)
            .variables(async_graphql::Variables::from_json(json!({"yes": yes})))
    };
    let long = text(&schema, ask(true)).await;
    let short = text(&schema, ask(false)).await;
    assert!(long.contains("\"id\"") && !short.contains("\"id\""));
    assert_eq!(text(&schema, ask(true)).await, long);
}

#[tokio::test]
async fn an_object_whose_fields_are_all_skipped_is_empty() {
    for (query, expected) in [
        ("{ post { title @skip(if: true) } }", r#"{"post":{}}"#),
        (
            "{ posts { author { id @include(if: false) } } }",
            r#"{"posts":[{"author":{}},{"author":{}}]}"#,
        ),
        (
            "{ post { editor { id @include(if: false) } comments { ... @skip(if: true) { id } } } }",
            r#"{"post":{"editor":null,"comments":[{},{}]}}"#,
        ),
        // Plain objects of async-graphql.
        ("{ shelf { name @skip(if: true) } }", r#"{"shelf":{}}"#),
        (
            "{ things { ... on Crate { name } } }",
            r#"{"things":[{},{"name":"old"}]}"#,
        ),
        (
            "{ shelf { posts @skip(if: true) { id } } shelf { name } }",
            r#"{"shelf":{"name":"new"}}"#,
        ),
    ] {
        let answer = text(&served(), query).await;
        assert_eq!(answer, format!("{{\"data\":{expected}}}"), "{query}");
    }
}

#[tokio::test]
async fn errors_are_reported_once_with_their_location() {
    let answer = served().execute("{ fragile fragile slow }").await;
    assert_eq!(answer.data.to_string(), "{fragile: null, slow: 1}");
    assert_eq!(answer.errors.len(), 1);

    let mut bad = post(2);
    bad["title"] = Value::Null;
    let schema = served_with(vec![post(1), bad]);
    let answer = schema.execute("{ slow nested { t: title } }").await;
    assert_eq!(answer.data, async_graphql::Value::Null);
    assert_eq!(answer.errors.len(), 1);
    assert_eq!(
        serde_json::to_value(&answer.errors[0].path).unwrap(),
        json!(["nested", 1, 1, "t"])
    );
}
