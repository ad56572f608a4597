//! Tests of the header and the extension by which a client's position travels.

use async_graphql::{Context, EmptySubscription, Object, Schema};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use fraiseql_graphql::http::GraphQl;
use fraiseql_graphql::{Prepared, Query, TvChanges, position};
use fraiseql_runtime::{ReadModel, Readers, Replicas};
use serde_json::{Value, json};
use sqlx::PgPool;
use tower_service::Service as _;

use super::{Counter, World, commit, counts, settled, write};

struct Mutation {
    model: ReadModel,
    primary: PgPool,
    readers: Readers,
}

#[Object]
impl Mutation {
    async fn set(&self, ctx: &Context<'_>, id: i64, value: i64) -> async_graphql::Result<i64> {
        position::wrote(ctx, write(&self.model, &self.primary, id, value).await?);
        Ok(value)
    }

    /// What has changed, which is read on the replicas.
    async fn set_and_show(
        &self,
        id: i64,
        value: i64,
    ) -> async_graphql::Result<TvChanges<(Counter,)>> {
        let report = commit(&self.model, &self.primary, id, value).await?;
        Ok(TvChanges::new(report, self.readers.clone()))
    }

    /// The query type, as in Relay: what it reads comes after the write.
    async fn set_and_query(
        &self,
        ctx: &Context<'_>,
        id: i64,
        value: i64,
    ) -> async_graphql::Result<Payload> {
        position::wrote(ctx, write(&self.model, &self.primary, id, value).await?);
        Ok(Payload)
    }
}

struct Payload;

#[Object]
impl Payload {
    /// The position that a resolver of the application reads at.
    async fn position(&self, ctx: &Context<'_>) -> Option<String> {
        position::at_least(ctx).map(|position| position.to_string())
    }
}

type Served = GraphQl<Schema<Query<(Counter,)>, Mutation, EmptySubscription>>;

async fn served(world: &World, replicas: &Replicas) -> Served {
    settled(replicas).await;
    let mutation = Mutation {
        model: world.model.clone(),
        primary: world.primary.clone(),
        readers: replicas.clone().into(),
    };
    let query = Query::<(Counter,)>::new(replicas.clone());
    let schema = Schema::build(query, mutation, EmptySubscription)
        .extension(Prepared::default().validate_once(true).direct(true))
        .finish();
    GraphQl::new(schema).max_batch(10)
}

async fn post(
    endpoint: &Served,
    header: Option<&str>,
    body: Value,
) -> (StatusCode, Option<String>, Value) {
    let mut request = Request::post("/").header("content-type", "application/json");
    if let Some(header) = header {
        request = request.header(position::HEADER, header);
    }
    let request = request.body(Body::from(body.to_string())).unwrap();
    let response = endpoint.clone().call(request).await.unwrap();
    let header = response.headers().get(position::HEADER);
    let header = header.map(|value| value.to_str().unwrap().to_owned());
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), 1 << 20)
        .await
        .unwrap();
    (status, header, serde_json::from_slice(&body).unwrap())
}

#[tokio::test]
async fn changes_are_read_where_they_are_seen() {
    let world = World::start().await;
    let late = world
        .cluster
        .replica(&[("recovery_min_apply_delay", "40ms")])
        .await;
    let replicas = Replicas::new(world.primary.clone()).replica(late.pool());
    let endpoint = served(&world, &replicas).await;
    for value in 1..=10 {
        let query = format!(
            "mutation {{ setAndShow(id: 7, value: {value}) {{ counters {{ id value }} deleted {{ key }} }} }}"
        );
        let (_, _, body) = post(&endpoint, None, json!({ "query": query })).await;
        let shown = json!({ "counters": [{ "id": 7, "value": value }], "deleted": [] });
        assert_eq!(body, json!({ "data": { "setAndShow": shown } }));
    }
}

const READ: &str = "{ counter(id: 7) { value } }";

#[tokio::test]
async fn a_client_that_sends_its_position_back_sees_what_it_has_changed() {
    let world = World::start().await;
    let late = world
        .cluster
        .replica(&[("recovery_min_apply_delay", "40ms")])
        .await;
    let replicas = Replicas::new(world.primary.clone()).replica(late.pool());
    let endpoint = served(&world, &replicas).await;
    for value in 1..=10 {
        let set = format!("mutation {{ set(id: 7, value: {value}) }}");
        let (status, header, body) = post(&endpoint, None, json!({ "query": set })).await;
        assert_eq!(status, StatusCode::OK);
        let header = header.expect("a mutation has a position");
        assert_eq!(
            body,
            json!({ "data": { "set": value }, "extensions": { "position": header } })
        );

        // By the header, which direct answers take as well, and by the extension.
        let expected = json!({ "data": { "counter": { "value": value } } });
        let (_, none, read) = post(&endpoint, Some(&header), json!({ "query": READ })).await;
        assert_eq!((none, read), (None, expected.clone()));
        let body = json!({
            "query": "query ($id: BigInt!, $n: Int) { counter(id: $id) { value } countersConnection(first: $n) { nodes { value } } }",
            "variables": { "id": 7, "n": 7 },
        });
        let (_, _, read) = post(&endpoint, Some(&header), body).await;
        assert_eq!(read["data"]["counter"]["value"], json!(value), "{read}");
        let last = &read["data"]["countersConnection"]["nodes"][6];
        assert_eq!(last["value"], json!(value), "{read}");
        let set = format!("mutation {{ set(id: 7, value: {}) }}", -value);
        let (_, _, body) = post(&endpoint, None, json!({ "query": set })).await;
        let extensions = body["extensions"].clone();
        let (_, _, read) = post(
            &endpoint,
            None,
            json!({ "query": READ, "extensions": extensions }),
        )
        .await;
        assert_eq!(read["data"]["counter"]["value"], json!(-value));
        let connection = "{ countersConnection(first: 7) { nodes { value } } }";
        let (_, _, read) = post(
            &endpoint,
            None,
            json!({ "query": connection, "extensions": extensions }),
        )
        .await;
        assert_eq!(
            read["data"]["countersConnection"]["nodes"][6]["value"],
            json!(-value),
            "{read}"
        );
    }
    let (by_replicas, waits, _) = counts(&replicas).await;
    assert!(
        by_replicas > 20 && waits > 10,
        "{}",
        replicas.status().await
    );
}

#[tokio::test]
async fn what_is_no_position_is_refused_with_a_reason() {
    let world = World::start().await;
    let replica = world.cluster.shared_replica().await;
    let replicas = Replicas::new(world.primary.clone()).replica(replica);
    let endpoint = served(&world, &replicas).await;
    for garbage in [
        "",
        "x",
        "1-2",
        "1-1-1'; DROP TABLE tb_counter",
        "é",
        &"1".repeat(5_000),
    ] {
        let (status, _, body) = post(&endpoint, Some(garbage), json!({ "query": READ })).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{garbage}");
        let message = body["errors"][0]["message"].as_str().unwrap();
        assert!(message.contains("fraiseql-position"), "{message}");
        let request = json!({ "query": READ, "extensions": { "position": garbage } });
        let (status, _, body) = post(&endpoint, None, request).await;
        assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(
            body["errors"][0]["extensions"]["code"],
            json!("BAD_USER_INPUT"),
            "{body}"
        );
    }
    for other in [json!(7), json!(["1-1-1"]), json!({})] {
        let request = json!({ "query": READ, "extensions": { "position": other } });
        let (_, _, body) = post(&endpoint, None, request).await;
        assert_eq!(
            body["errors"][0]["extensions"]["code"],
            json!("BAD_USER_INPUT"),
            "{body}"
        );
    }
    let null = json!({ "query": READ, "extensions": { "position": null } });
    assert_eq!(
        post(&endpoint, None, null).await.2["data"]["counter"]["value"],
        json!(0)
    );
    // One that was made up is read on the primary.
    let (_, _, body) = post(
        &endpoint,
        Some("1-1-ffffffffffffffff"),
        json!({ "query": READ }),
    )
    .await;
    assert_eq!(body["data"]["counter"]["value"], json!(0));
}

#[tokio::test]
async fn the_rest_of_a_request_and_a_batch_have_the_latest_position() {
    let world = World::start().await;
    let replica = world.cluster.shared_replica().await;
    let replicas = Replicas::new(world.primary.clone()).replica(replica);
    let endpoint = served(&world, &replicas).await;
    let query = "mutation { a: setAndQuery(id: 7, value: 1) { position } b: setAndQuery(id: 7, value: 2) { position } }";
    let (_, header, body) = post(&endpoint, None, json!({ "query": query })).await;
    let header = header.unwrap();
    assert_eq!(body["data"]["b"]["position"], json!(header));
    assert_ne!(body["data"]["a"]["position"], json!(header));

    let one = |value| json!({ "query": format!("mutation {{ set(id: {value}, value: 1) }}") });
    let batch = json!([one(1), one(2), one(3)]);
    let (_, header, body) = post(&endpoint, None, batch).await;
    let lsn = |text: &str| u64::from_str_radix(text.rsplit('-').next().unwrap(), 16).unwrap();
    let positions = body.as_array().unwrap().iter();
    let positions = positions.map(|one| lsn(one["extensions"]["position"].as_str().unwrap()));
    assert_eq!(positions.max(), Some(lsn(&header.unwrap())));
}
