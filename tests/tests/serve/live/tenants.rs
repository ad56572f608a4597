//! Subscriptions of one tenant: from the request, asked again for each element.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use async_graphql::{EmptyMutation, Request, Response, Schema};
use fraiseql_graphql::{Prepared, Query, RequestData, Subscription};
use fraiseql_runtime::{ReadModel, TView};
use futures_channel::mpsc::{UnboundedReceiver, unbounded};
use futures_util::{FutureExt as _, Stream, StreamExt as _};
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};

use super::soon;

#[derive(Debug, TView)]
#[allow(dead_code)]
struct Ticket {
    id: i32,
    #[tview(tenant)]
    org_id: i32,
    title: String,
}

/// Who has sent a request: no one if it is 0, as after a sign-out.
#[derive(Clone)]
struct Session(Arc<AtomicI32>);

impl Session {
    fn of(org: i32) -> Self {
        Self(Arc::new(AtomicI32::new(org)))
    }
}

fn tenant(ctx: &RequestData<'_>) -> async_graphql::Result<i32> {
    match ctx.data::<Session>()?.0.load(Ordering::Relaxed) {
        0 => Err("signed out".into()),
        org => Ok(org),
    }
}

type Served = Schema<Query<(Ticket,)>, EmptyMutation, Subscription<(Ticket,)>>;

async fn world() -> (sqlx::PgPool, Served) {
    let pool = fraiseql_tests::pool().await;
    fraiseql_tests::run(
        &pool,
        "CREATE TABLE tb_ticket (id int4 PRIMARY KEY, org_id int4 NOT NULL, title text NOT NULL);
         INSERT INTO tb_ticket SELECT i, i % 3 + 1, 'Ticket ' || i FROM generate_series(1, 30) AS i",
    )
    .await;
    let model = ReadModel::builder()
        .view::<Ticket>()
        .feed()
        .build()
        .unwrap();
    model.migrate(&pool).await.unwrap();
    model.sync_all(&pool).await.unwrap();
    let feed = model.feed(&pool).start().await.unwrap();
    let query = Query::scoped(pool.clone(), tenant);
    let schema = Schema::build(query, EmptyMutation, Subscription::scoped(feed, tenant));
    (pool, schema.extension(Prepared::default()).finish())
}

/// A stream that a task drives, as an endpoint does it: it holds a connection of the pool while it reads.
fn subscribe(schema: &Served, session: &Session, query: &str) -> UnboundedReceiver<Response> {
    let mut stream = schema.execute_stream(Request::new(query).data(session.clone()));
    let (sent, received) = unbounded();
    tokio::spawn(async move {
        while let Some(response) = stream.next().await {
            if sent.unbounded_send(response).is_err() {
                break;
            }
        }
    });
    received
}

async fn next(stream: &mut (impl Stream<Item = Response> + Unpin)) -> Value {
    let response = soon(stream.next()).await.expect("the stream has ended");
    serde_json::to_value(response).unwrap()
}

#[tokio::test]
async fn no_element_has_a_document_of_another_tenant() {
    let (pool, schema) = world().await;
    let queries = [
        "subscription { tickets(limit: 100) { orgId title } }",
        "subscription { ticketChanged { id document { orgId title } } }",
        "subscription { ticket(id: 7) { orgId title } }",
    ];
    let mut streams = Vec::new();
    for org in 1..=3 {
        for query in queries {
            let mut stream = subscribe(&schema, &Session::of(org), query);
            next(&mut stream).await;
            streams.push((org, stream));
        }
    }
    let mut rng = SmallRng::seed_from_u64(3);
    let (mut seen, mut own) = (0, 0);
    for round in 0..150 {
        let (id, org) = (rng.random_range(1..=30), rng.random_range(1..=3));
        // It may move to another tenant.
        let sql = "UPDATE tb_ticket SET title = $2, org_id = $3 WHERE id = $1";
        let update = sqlx::query(sql).bind(id).bind(format!("{round}")).bind(org);
        update.execute(&pool).await.unwrap();
        sync_ticket(&pool, &[id]).await.unwrap();
        if round % 10 == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(60)).await;
        }
        for (org, stream) in &mut streams {
            while let Some(Some(response)) = stream.next().now_or_never() {
                let text = serde_json::to_string(&response).unwrap();
                assert_eq!(response.errors.len(), 0, "{text}");
                for other in (1..=3).filter(|other| other != org) {
                    assert!(
                        !text.contains(&format!("\"orgId\":{other}")),
                        "{org}: {text}"
                    );
                }
                own += i32::from(text.contains("orgId"));
                seen += 1;
            }
        }
    }
    assert!(seen > 100 && own > 50, "{seen}, {own}");
}

#[tokio::test]
async fn a_request_without_a_tenant_has_an_error_and_no_stream() {
    let (_, schema) = world().await;
    let mut stream = schema.execute_stream("subscription { tickets { title } }");
    let error = next(&mut stream).await;
    assert_eq!(
        error["errors"][0]["extensions"]["code"], "UNAUTHENTICATED",
        "{error}"
    );
    assert!(soon(stream.next()).await.is_none());
}

/// The tenant is asked for again before each element.
#[tokio::test]
async fn a_stream_ends_when_the_request_has_its_tenant_no_more() {
    let (pool, schema) = world().await;
    for query in [
        "subscription { ticket(id: 3) { title } }",
        "subscription { ticketChanged { document { title } } }",
    ] {
        for later in [0, 2] {
            let session = Session::of(1);
            let mut stream = subscribe(&schema, &session, query);
            next(&mut stream).await;
            session.0.store(later, Ordering::Relaxed);
            let sql = "UPDATE tb_ticket SET title = title || '!' WHERE id = 3";
            fraiseql_tests::run(&pool, sql).await;
            sync_ticket(&pool, &[3]).await.unwrap();
            let error = next(&mut stream).await;
            assert!(
                error["data"].is_null() || error["data"] == json!({"ticket": null}),
                "{error}"
            );
            assert!(error["errors"][0]["message"].is_string(), "{error}");
            assert!(!error.to_string().contains('!'), "{error}");
            assert!(soon(stream.next()).await.is_none());
        }
    }
}
