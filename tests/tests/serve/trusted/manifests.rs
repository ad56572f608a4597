//! Tests that a wrong manifest is an error at start.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_graphql::async_trait::async_trait;
use async_graphql::extensions::{
    Extension, ExtensionContext, ExtensionFactory, NextPrepareRequest,
};
use async_graphql::{EmptySubscription, Request, Schema, ServerError, ServerResult};
use fraiseql_graphql::http::{GraphQl, TrustedDocuments, TrustedError, TrustedErrors};
use fraiseql_graphql::{DocumentLimits, Prepared};
use fraiseql_tests::web::{Mutation, Query, Server, Watch, shop as shop_without_prepared};
use serde_json::json;

use super::{TWICE, TWICE_HASH, post, shop};

async fn errors_of(documents: TrustedDocuments) -> TrustedErrors {
    GraphQl::new(shop().0)
        .trusted(documents)
        .await
        .err()
        .unwrap()
}

/// The identifier, the place, and the message.
fn parts(error: &TrustedError) -> (&str, Option<(usize, usize)>, &str) {
    (error.id().unwrap(), error.position(), error.message())
}

#[tokio::test]
async fn everything_wrong_is_reported_at_once_with_its_document_and_place() {
    let zeros = format!("sha256:{}", "0".repeat(64));
    let manifest = json!({
        "Fine": "{ hello }",
        "Syntax": "{\n  hello",
        "Invalid": "query Q {\n  nothing\n  item { name price }\n}",
        zeros.as_str(): TWICE,
        "md5:0": "{ hello }",
        "Types": "query ($n: String!) { twice(number: $n) }",
    });
    let documents = TrustedDocuments::from_json(&manifest.to_string()).unwrap();
    let errors = errors_of(documents.document("Fine", "{ other: hello }")).await;
    let mut found: Vec<_> = errors.errors().iter().map(parts).collect();
    found.sort_by_key(|(id, pos, _)| (*id, *pos));
    let of = |id: &str| {
        let errors = found.iter().filter(|error| error.0 == id);
        errors
            .map(|(_, pos, message)| (*pos, *message))
            .collect::<Vec<_>>()
    };
    assert_eq!(of("Fine"), [(None, "two documents have this identifier")]);
    assert_eq!(of("Syntax")[0].0, Some((2, 8)), "{errors}");
    let invalid = of("Invalid");
    assert_eq!(invalid.len(), 2, "{errors}");
    assert_eq!((invalid[0].0, invalid[1].0), (Some((2, 3)), Some((3, 15))));
    assert!(invalid[0].1.contains("nothing") && invalid[1].1.contains("price"));
    let hash = format!("the SHA-256 of its text is {TWICE_HASH}");
    assert_eq!(of(&zeros), [(None, &*hash)]);
    assert!(of("md5:0")[0].1.contains("reserved"), "{errors}");
    assert!(of("Types")[0].0.is_some(), "{errors}");
    assert_eq!(found.len(), 7, "{errors}");
    let text = errors.to_string();
    assert!(
        text.contains("\ndocument `Invalid`, line 2, column 3: "),
        "{text}"
    );
    assert_eq!(text.lines().count(), 8, "{text}");
}

#[tokio::test]
async fn one_identifier_has_one_text() {
    let twice = TrustedDocuments::from_json(r#"{"A": "{ hello }", "A": "{ hello }"}"#);
    let _ = GraphQl::new(shop().0)
        .trusted(twice.unwrap())
        .await
        .unwrap();
    let twice = TrustedDocuments::from_json(r#"{"A": "{ hello }", "A": "{ hello  }"}"#);
    let errors = errors_of(twice.unwrap()).await;
    assert!(errors.to_string().contains("two documents"), "{errors}");
    let first = TrustedDocuments::new().document("A", "{ hello }");
    let endpoint = GraphQl::new(shop().0).trusted(first).await.unwrap();
    let second = TrustedDocuments::new().document("A", "{ a: hello }");
    let errors = endpoint.trusted(second).await.err().unwrap();
    assert!(errors.to_string().contains("two documents"), "{errors}");
}

#[tokio::test]
async fn a_manifest_of_apollo_has_the_operations_that_it_names() {
    let operation = |id: &str, name: &str, ty: &str, body: &str| json!({"id": id, "name": name, "type": ty, "body": body});
    let manifest = |operations: &[serde_json::Value]| {
        let format = "apollo-persisted-query-manifest";
        let manifest = json!({"format": format, "version": 1, "operations": operations});
        TrustedDocuments::from_json(&manifest.to_string()).unwrap()
    };
    let fine = [
        operation(TWICE_HASH, "Twice", "query", TWICE),
        operation("Buy", "Buy", "mutation", "mutation Buy { buy }"),
    ];
    let endpoint = GraphQl::new(shop().0)
        .trusted(manifest(&fine))
        .await
        .unwrap();
    let server = Server::start(endpoint).await;
    let body = json!({"documentId": TWICE_HASH, "variables": {"n": 4}});
    assert_eq!(
        post(&server, &body).await.json(),
        json!({"data": {"twice": 8}})
    );

    let errors = errors_of(manifest(&[
        operation("A", "Other", "query", TWICE),
        operation("B", "Twice", "mutation", TWICE),
        operation("C", "Twice", "other", TWICE),
        operation("D", "Twice", "query", TWICE),
    ]))
    .await;
    let ids: Vec<_> = errors.errors().iter().map(TrustedError::id).collect();
    assert_eq!(ids, [Some("A"), Some("B"), Some("C")], "{errors}");
    assert!(errors.to_string().contains("`mutation Twice`"), "{errors}");
}

#[tokio::test]
async fn documents_are_within_the_limits_of_the_endpoint() {
    let limits = DocumentLimits::default().fields(2);
    let endpoint = GraphQl::new(shop().0).limits(limits);
    let documents = TrustedDocuments::new()
        .document("Two", "{ a: hello b: hello }")
        .document("Three", "{ a: hello b: hello c: hello }")
        .document("Cycle", "{ ...f } fragment f on Query { ...f }")
        .document("Deep", "{ item ".repeat(1_000));
    let errors = endpoint.trusted(documents).await.err().unwrap();
    let ids: Vec<_> = errors.errors().iter().map(TrustedError::id).collect();
    assert_eq!(
        ids,
        [Some("Three"), Some("Cycle"), Some("Deep")],
        "{errors}"
    );
    assert!(errors.to_string().contains("2 fields"), "{errors}");
    assert!(errors.to_string().len() < 10_000);
}

#[tokio::test]
async fn limits_of_the_schema_are_checked_for_each_operation() {
    let schema = Schema::build(Query, Mutation, EmptySubscription)
        .data(Arc::new(Watch::default()))
        .extension(Prepared::default())
        .limit_depth(2)
        .limit_complexity(4)
        .finish();
    let introspection = "{ __schema { types { fields { type { ofType { name } } } } } }";
    let documents = TrustedDocuments::new()
        .document(
            "Fine",
            "query A { item { name } } query B { a: hello b: hello c: hello }",
        )
        .document("Introspection", introspection)
        .document(
            "Deep",
            "query A { hello } query B { item { next { name } } }",
        )
        .document(
            "Complex",
            "query ($n: Int!) { a: hello b: hello c: hello d: hello e: twice(number: $n) }",
        );
    let endpoint = GraphQl::new(schema);
    let errors = endpoint.trusted(documents).await.err().unwrap();
    let found: Vec<_> = errors.errors().iter().map(parts).collect();
    assert_eq!(
        found,
        [
            ("Deep", None, "Query is nested too deep."),
            ("Complex", None, "Query is too complex."),
        ]
    );
}

#[tokio::test]
async fn nothing_is_executed_at_start() {
    let documents = || TrustedDocuments::new().document("Buy", "mutation { buy }");
    let (schema, watch) = shop();
    let _ = GraphQl::new(schema).trusted(documents()).await.unwrap();
    assert_eq!(watch.bought.load(Ordering::SeqCst), 0);

    // Also if the schema cannot validate it.
    let (schema, watch) = shop_without_prepared();
    let errors = GraphQl::new(schema)
        .trusted(documents())
        .await
        .err()
        .unwrap();
    assert!(
        errors
            .to_string()
            .contains("needs the extension `Prepared`"),
        "{errors}"
    );
    assert_eq!(watch.bought.load(Ordering::SeqCst), 0);
}

/// Refuses every request.
struct Closed;

impl ExtensionFactory for Closed {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_trait]
impl Extension for Closed {
    async fn prepare_request(
        &self,
        _: &ExtensionContext<'_>,
        _: Request,
        _: NextPrepareRequest<'_>,
    ) -> ServerResult<Request> {
        Err(ServerError::new("closed for today", None))
    }
}

#[tokio::test]
async fn an_extension_that_refuses_the_check_is_named_by_its_error() {
    let build =
        || Schema::build(Query, Mutation, EmptySubscription).data(Arc::new(Watch::default()));
    let documents = || TrustedDocuments::new().document("Hello", "{ hello }");
    let schema = build()
        .extension(Closed)
        .extension(Prepared::default())
        .finish();
    let errors = GraphQl::new(schema)
        .trusted(documents())
        .await
        .err()
        .unwrap();
    assert!(errors.to_string().contains("closed for today"), "{errors}");
    // After the validation it does not matter.
    let schema = build()
        .extension(Prepared::default())
        .extension(Closed)
        .finish();
    let _ = GraphQl::new(schema).trusted(documents()).await.unwrap();
}
