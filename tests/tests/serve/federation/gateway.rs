//! Apollo composes the subgraph with another one, and its gateway reads entities across both.

use std::io::Write as _;
use std::process::Stdio;

use async_graphql::{EmptyMutation, EmptySubscription, Schema};
use fraiseql_graphql::http::GraphQl;
use fraiseql_graphql::{Prepared, Query};
use fraiseql_tests::node::node;
use fraiseql_tests::web::Server;
use serde_json::{Value, json};

use super::{Line, Product, Set, world};

const OTHER: &str = r#"
extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key", "@shareable"])
scalar BigInt
type Query { reviews: [Review!]! }
type Review { stars: Int! product: Product line: Line }
type Product @key(fields: "id") { id: BigInt! @shareable }
type Line @key(fields: "orderId product", resolvable: false) {
    orderId: Int! @shareable
    product: ID! @shareable
}
type Maker @shareable { id: Int! name: String! }
type PageInfo @shareable {
    endCursor: String hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String
}
"#;

/// The errors of the composition of a server's schema with another, and the answers to queries.
async fn through_gateway(
    server: &Server,
    other: &str,
    data: Value,
    queries: &[&str],
) -> Option<Vec<Value>> {
    let mut program = node()?.program("federation.mjs");
    program.arg(server.url()).arg(other).arg(data.to_string());
    program
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let input = queries.join("\n");
    let output = tokio::task::spawn_blocking(move || {
        let mut child = program.spawn().unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        child.wait_with_output().unwrap()
    });
    let output = output.await.unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaints}");
    let said = String::from_utf8(output.stdout).unwrap();
    let lines = said.lines().map(|line| serde_json::from_str(line).unwrap());
    Some(lines.collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_reads_entities_of_documents() {
    let pool = world().await;
    let query = Query::<(Product, Line)>::new(pool.clone()).federation();
    let schema = Schema::build(query, EmptyMutation, EmptySubscription)
        .extension(Prepared::default().direct(true))
        .finish();
    let server = Server::start(GraphQl::new(schema)).await;
    let data = json!({"reviews": [
        {"stars": 5, "product": {"id": 2}, "line": {"orderId": 2, "product": "p3"}},
        {"stars": 1, "product": {"id": 999}, "line": null},
        {"stars": 4, "product": {"id": 1}, "line": {"orderId": 1, "product": "p1"}},
    ]});
    let queries = [
        "{ reviews { stars product { id name maker { name } } line { quantity } } }",
        "{ products(limit: 1) { name } reviews { stars } }",
    ];
    let Some(lines) = through_gateway(&server, OTHER, data, &queries).await else {
        return;
    };
    assert_eq!(lines[0], json!([]), "composition");
    assert_eq!(
        lines[1]["data"],
        json!({"reviews": [
            {"stars": 5, "product": {"id": 2, "name": "Product 2", "maker": null}, "line": {"quantity": 6}},
            {"stars": 1, "product": null, "line": null},
            {"stars": 4, "product": {"id": 1, "name": "Product 1", "maker": {"name": "Acme"}}, "line": {"quantity": 1}},
        ]})
    );
    assert_eq!(
        lines[2],
        json!({"data": {
            "products": [{"name": "Product 1"}],
            "reviews": [{"stars": 5}, {"stars": 1}, {"stars": 4}],
        }})
    );
    pool.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn views_with_a_tenant_compose() {
    let pool = world().await;
    let query = Query::<Set>::across_tenants(pool.clone()).federation();
    let schema = Schema::build(query, EmptyMutation, EmptySubscription)
        .extension(Prepared::default())
        .finish();
    let server = Server::start(GraphQl::new(schema)).await;
    let other = r#"
        extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key", "@shareable"])
        type Query { events: [Event!]! }
        type Event { ticket: Ticket }
        type Ticket @key(fields: "orgId no", resolvable: false) @key(fields: "id", resolvable: false) @shareable {
            orgId: Int! no: Int! id: ID!
        }"#;
    let id = fraiseql_runtime::GlobalId::of::<super::Ticket>(&(2, 1)).to_string();
    let data = json!({"events": [{"ticket": {"orgId": 2, "no": 1, "id": id}}]});
    let queries = ["{ events { ticket { title } } }"];
    let Some(lines) = through_gateway(&server, other, data, &queries).await else {
        return;
    };
    assert_eq!(lines[0], json!([]), "composition");
    assert_eq!(
        lines[1],
        json!({"data": {"events": [{"ticket": {"title": "2/1"}}]}})
    );
    pool.close().await;
}
