//! Tests that invalid queries over documents are refused before they are executed.

use serde_json::json;

use super::{served, text};

#[tokio::test]
async fn fields_that_cannot_be_merged_are_refused() {
    for query in [
        "{ post { author { n: id } author { n: name } } }",
        "{ post { author { n: id } } ...Q } fragment Q on Query { post { author { n: name } } }",
        "{ a: post { id } a: posts { id } }",
        "{ ... on Query { a: slow } a: broken }",
    ] {
        let answer = served().execute(query).await;
        assert!(!answer.errors.is_empty(), "{query}");
        for error in &answer.errors {
            let message = &error.message;
            assert!(message.contains("the same"), "{query}: {message}");
            assert_eq!(error.locations.len(), 1, "{query}");
        }
    }
}

#[tokio::test]
async fn a_query_of_too_many_fields_is_refused_before_it_runs() {
    // Thirty fragments, each of which spreads the next one twice: a billion fields.
    let mut bomb = "{ post { ...F0 } }".to_owned();
    for n in 0..30 {
        bomb.push_str(&format!(
            " fragment F{n} on Post {{ ...F{} a{n}: id ...F{} }}",
            n + 1,
            n + 1
        ));
    }
    bomb.push_str(" fragment F30 on Post { id }");
    let answer = served().execute(bomb).await;
    assert_eq!(
        answer.errors[0].message,
        "the document has more than 5000 fields and fragments"
    );

    let many: String = (0..1_000).map(|n| format!("a{n}: slow ")).collect();
    let answer = served().execute(format!("{{ {many} }}")).await;
    assert_eq!(
        answer.errors[0].message,
        "the document has more than 500 aliases"
    );

    let cycle = "{ post { ...A } } fragment A on Post { ...B } fragment B on Post { ...A }";
    let answer = served().execute(cycle).await;
    assert!(answer.errors[0].message.contains("within itself"));
}

/// The error of a request that is not executed.
async fn refused(request: impl Into<async_graphql::Request>) -> String {
    let answer = served().execute(request).await;
    assert_eq!(answer.data, async_graphql::Value::Null);
    let errors = answer.errors.iter();
    let messages: Vec<_> = errors
        .inspect(|error| assert_eq!(error.path, []))
        .map(|error| error.message.as_str())
        .collect();
    messages.join("; ")
}

#[tokio::test]
async fn directives_and_arguments_on_typename_are_validated_and_counted() {
    for (query, reason) in [
        ("{ __typename { id } }", "must not have subselections"),
        (
            "{ post { __typename { id } } }",
            "must not have subselections",
        ),
        (
            "{ __typename(id: 1) }",
            "the argument `id` is not supported",
        ),
        (
            "{ __typename @nothing }",
            "cannot find directive `@nothing`",
        ),
        (
            "{ __typename @deprecated }",
            "not supported for FIELD location",
        ),
        (
            "{ __typename @skip(if: true) @skip(if: true) }",
            "can only be used once",
        ),
        (
            "{ __typename @skip }",
            "the required argument `@skip(if:)` is not provided",
        ),
        (
            "{ __typename @skip(if: 1) }",
            "expected value of type Boolean!",
        ),
        ("{ __typename @skip(if: $yes) }", "`$yes` is not defined"),
        (
            "query ($yes: Int!) { __typename @skip(if: $yes) }",
            "`$yes` of type `Int!` cannot be used for argument `if` of type `Boolean!`",
        ),
        (
            "query ($yes: Boolean! @skip(if: true)) { __typename @skip(if: $yes) }",
            "not supported for VARIABLE_DEFINITION location",
        ),
        (
            "query ($yes: Boolean!) { __typename }",
            "unused variable: `$yes`",
        ),
    ] {
        let error = refused(query).await;
        assert!(error.contains(reason), "{query}: {error}");
    }
    let used =
        "query ($yes: Boolean!) { t: __typename @skip(if: $yes) __typename @include(if: $yes) }";
    let request = async_graphql::Request::new(used)
        .variables(async_graphql::Variables::from_json(json!({"yes": true})));
    assert_eq!(
        text(&served(), request).await,
        r#"{"data":{"__typename":"Query"}}"#
    );
}

#[tokio::test]
async fn variables_are_validated_before_a_query_is_executed() {
    let query = "query ($yes: Boolean!, $no: Boolean) { post { id title @skip(if: $yes) } slow @include(if: $yes) ... on Query @skip(if: true) { t: __typename @skip(if: $yes) } ...F } fragment F on Query { things { name @skip(if: $yes) } }";
    let query = query.replace(", $no: Boolean", "");
    for (variables, reason) in [
        (
            json!({}),
            "\"$yes\" of required type \"Boolean!\" was not provided",
        ),
        (
            json!({"yes": null}),
            "Expected value of type \"Boolean!\", found null",
        ),
        (
            json!({"yes": "true"}),
            "Expected value of type \"Boolean\", found \"true\"",
        ),
        (json!({"yes": [true]}), "Expected value of type \"Boolean\""),
    ] {
        let request = async_graphql::Request::new(&query)
            .variables(async_graphql::Variables::from_json(variables));
        let error = refused(request).await;
        assert!(error.contains(reason), "{error}");
    }
}
