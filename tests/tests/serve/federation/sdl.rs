//! The SDL of a subgraph.

use super::served;

#[tokio::test]
async fn views_are_entities_with_their_keys() {
    let (schema, pool) = served().await;
    let response = schema.execute("{ _service { sdl } }").await;
    assert_eq!(response.errors, []);
    let data = response.data.into_json().unwrap();
    insta::assert_snapshot!(data["_service"]["sdl"].as_str().unwrap());
    pool.close().await;
}
