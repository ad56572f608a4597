//! Tests that the persisted queries of async-graphql work beside `Prepared`.

use async_graphql::extensions::apollo_persisted_queries::{
    ApolloPersistedQueries, LruCacheStorage,
};
use async_graphql::{EmptySubscription, Object, Request, Response, Schema, Variables, value};
use fraiseql_graphql::http::GraphQl;
use fraiseql_graphql::{DocumentLimits, Prepared};
use fraiseql_tests::web::Server;
use serde_json::json;

struct Query;

#[Object]
impl Query {
    async fn echo(&self, text: String, times: Option<i32>) -> String {
        text.repeat(usize::try_from(times.unwrap_or(1)).unwrap())
    }

    async fn fails(&self) -> Option<async_graphql::Result<i32>> {
        Some(Err("it failed".into()))
    }
}

struct Mutation;

#[Object]
impl Mutation {
    async fn put(&self) -> i32 {
        1
    }
}

type Served = Schema<Query, Mutation, EmptySubscription>;

/// The extensions in both orders.
fn served(prepared: impl Fn() -> Prepared) -> [Served; 2] {
    let persisted = || ApolloPersistedQueries::new(LruCacheStorage::new(8));
    let build = || Schema::build(Query, Mutation, EmptySubscription);
    [
        build()
            .extension(prepared())
            .extension(persisted())
            .finish(),
        build()
            .extension(persisted())
            .extension(prepared())
            .finish(),
    ]
}

fn request(text: &str, hash: &str) -> Request {
    let mut request = Request::new(text);
    let persisted = value!({"version": 1, "sha256Hash": hash});
    request
        .extensions
        .insert("persistedQuery".to_owned(), persisted);
    request
}

fn data(response: &Response) -> serde_json::Value {
    assert_eq!(response.errors, []);
    serde_json::to_value(&response.data).unwrap()
}

const ECHO: &str =
    "query ($text: String!, $times: Int) {\n  echo(text: $text, times: $times)\n  fails\n}";
const ECHO_HASH: &str = "86bb63cc372b81e251439345426beb6fd8568d0a0bde321d04a8063c4a23227d";
const INVALID: &str = "{ echo(text: \"\") nothing }";
const INVALID_HASH: &str = "a01a9b6b089c869c43cc8e83bc16fdd074c7ee50650c4f50a1b83a68af9bec36";

#[tokio::test]
async fn a_hash_alone_is_answered_after_it_was_registered() {
    let settings: [fn() -> Prepared; 3] = [
        Prepared::default,
        || Prepared::default().keep(0),
        || Prepared::default().validate_once(true),
    ];
    for prepared in settings {
        for schema in served(prepared) {
            let unknown = schema.execute(request("", ECHO_HASH)).await;
            assert_eq!(unknown.errors[0].message, "PersistedQueryNotFound");
            for text in [ECHO, "", "", ECHO, ""] {
                let variables = json!({"text": "ab", "times": 2});
                let request = request(text, ECHO_HASH).variables(Variables::from_json(variables));
                let response = schema.execute(request).await;
                let answer = serde_json::to_value(&response.data).unwrap();
                assert_eq!(answer, json!({"echo": "abab", "fails": null}));
                // The error is located in the text that was registered.
                assert_eq!(response.errors.len(), 1);
                let pos = response.errors[0].locations[0];
                assert_eq!((pos.line, pos.column), (3, 3));
            }
            // Variables are validated and completed as for a text.
            let variables = Variables::from_json(json!({"text": "ab"}));
            let response = schema
                .execute(request("", ECHO_HASH).variables(variables))
                .await;
            assert_eq!(response.data.to_string(), "{echo: \"ab\", fails: null}");
            let response = schema.execute(request("", ECHO_HASH)).await;
            assert!(response.errors[0].message.contains("was not provided"));
            // An empty text without a hash is what it was.
            let response = schema.execute("").await;
            assert!(response.errors[0].message.contains("Unexpected <EOF>"));
            assert_eq!(
                data(&schema.execute("{ a: __typename }").await),
                json!({"a": "Query"})
            );
        }
    }
}

#[tokio::test]
async fn a_stored_query_is_validated_and_limited() {
    for schema in served(Prepared::default) {
        for text in [INVALID, ""] {
            let response = schema.execute(request(text, INVALID_HASH)).await;
            let message = &response.errors[0].message;
            assert!(
                message.contains("`nothing`") || message == "PersistedQueryNotFound",
                "{message}"
            );
        }
    }
    let limits = DocumentLimits::default().fields(1);
    for schema in served(|| Prepared::default().limits(limits)) {
        for text in [ECHO, ""] {
            let response = schema.execute(request(text, ECHO_HASH)).await;
            let message = &response.errors[0].message;
            assert!(
                message.contains("1 fields") || message == "PersistedQueryNotFound",
                "{message}"
            );
        }
    }
}

#[tokio::test]
async fn a_hash_is_answered_over_http_and_not_with_get() {
    for schema in served(|| Prepared::default().validate_once(true).direct(true)) {
        let server = Server::start(GraphQl::new(schema)).await;
        let extensions = json!({"persistedQuery": {"version": 1, "sha256Hash": ECHO_HASH}});
        let variables = json!({"text": "ab"});
        let hash = json!({"variables": variables, "extensions": extensions});
        let both = json!({"query": ECHO, "variables": variables, "extensions": extensions});
        let answer = server.post(&hash.to_string()).await.json();
        assert_eq!(answer["errors"][0]["message"], "PersistedQueryNotFound");
        for body in [&both, &hash, &hash, &both, &hash] {
            let answer = server.post(&body.to_string()).await.json();
            assert_eq!(
                answer["data"],
                json!({"echo": "ab", "fails": null}),
                "{answer}"
            );
        }
        // The query may be a mutation.
        let extensions = extensions.to_string().replace('"', "%22");
        let answer = server.get(&format!("extensions={extensions}")).await;
        answer.assert_refused(400, "`query` is missing");
    }
}
