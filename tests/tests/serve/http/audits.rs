//! Tests that the endpoint passes the server audits of `graphql-http`, the reference
//! implementation.

use fraiseql_graphql::http::GraphQl;
use fraiseql_tests::node::node;
use fraiseql_tests::web::{Server, shop};
use serde_json::Value;

/// The number of audits in the pinned version.
const AUDITS: usize = 61;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_audit_of_graphql_http_passes() {
    let Some(node) = node() else { return };
    let server = Server::start(GraphQl::new(shop().0)).await;
    let mut program = node.program("audit.mjs");
    program.arg(server.url());
    let output = tokio::task::spawn_blocking(move || program.output().unwrap());
    let output = output.await.unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaints}");

    let results: Vec<Value> = said
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let failed: Vec<String> = results
        .iter()
        .filter(|result| result["status"] != "ok")
        .map(Value::to_string)
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert_eq!(results.len(), AUDITS);
}
