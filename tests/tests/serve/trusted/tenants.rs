//! Tests that trusted documents are answered directly, each tenant with its own documents.

use async_graphql::{EmptyMutation, EmptySubscription, Schema};
use axum::http::StatusCode;
use fraiseql_graphql::http::{GraphQl, TrustedDocuments};
use fraiseql_graphql::{Prepared, Query, RequestData};
use fraiseql_runtime::{Readers, TView};
use fraiseql_tests::executed::Executed;
use fraiseql_tests::web::{ACCEPT, Answer, JSON, Server};
use fraiseql_tests::world;
use serde_json::{Value, json};

const TABLES: &str = "
CREATE TABLE tb_ticket (id int8 PRIMARY KEY, org_id int4 NOT NULL, owner int4 NOT NULL);
INSERT INTO tb_ticket SELECT n, 1 + n % 3, 1 + n % 3 FROM generate_series(1, 30) AS n;
";

#[derive(Debug, TView)]
#[allow(dead_code)]
struct Ticket {
    id: i64,
    #[tview(tenant, hidden)]
    org_id: i32,
    owner: i32,
}

#[derive(Clone)]
struct Org(i32);

fn tenant(ctx: &RequestData<'_>) -> async_graphql::Result<i32> {
    Ok(ctx.data::<Org>()?.0)
}

struct Tickets {
    server: Server,
    executed: Executed,
}

impl Tickets {
    async fn start() -> Self {
        let pool = fraiseql_tests::pool().await;
        fraiseql_tests::run(&pool, TABLES).await;
        let model = world::model::<Ticket>();
        model.migrate(&pool).await.unwrap();
        model.sync_all(&pool).await.unwrap();
        let executed = Executed::default();
        let query = Query::<(Ticket,)>::scoped(Readers::lending(pool), tenant);
        let schema = Schema::build(query, EmptyMutation, EmptySubscription)
            .extension(executed.clone())
            .extension(Prepared::default().validate_once(true).direct(true))
            .finish();
        let documents = TrustedDocuments::new()
            .document("All", "{ tickets { id owner } }")
            .document(
                "One",
                "query One($id: BigInt!) { ticket(id: $id) { id owner } }",
            )
            .document(
                "Page",
                "{ ticketsConnection(first: 3) { nodes { owner } } }",
            );
        let endpoint = GraphQl::new(schema).trusted(documents).await.unwrap();
        let endpoint = endpoint
            .only_trusted(true)
            .automatic_persisted_queries(10_000)
            .with_data(|parts| {
                let org = parts.headers.get("x-org").and_then(|org| org.to_str().ok());
                let org = org.and_then(|org| org.parse().ok()).map(Org);
                async move { org.ok_or(StatusCode::UNAUTHORIZED) }
            });
        Self {
            server: Server::start(endpoint).await,
            executed,
        }
    }

    /// The answer, and whether the schema was not executed.
    async fn post(&self, org: i32, body: &Value) -> (Answer, bool) {
        self.request("POST /graphql", org, &body.to_string()).await
    }

    async fn request(&self, start: &str, org: i32, body: &str) -> (Answer, bool) {
        let before = self.executed.count();
        let org = format!("X-Org: {org}");
        let headers = [JSON, ACCEPT, &org];
        let answer = self.server.request(start, &headers, body.as_bytes()).await;
        (answer, self.executed.count() == before)
    }
}

/// The owners in an answer.
fn owners(answer: &Answer) -> Vec<i64> {
    fn collect(value: &Value, owners: &mut Vec<i64>) {
        match value {
            Value::Object(fields) => {
                owners.extend(fields.get("owner").and_then(Value::as_i64));
                fields.values().for_each(|value| collect(value, owners));
            }
            Value::Array(items) => items.iter().for_each(|value| collect(value, owners)),
            _ => {}
        }
    }
    let mut owners = Vec::new();
    collect(&answer.json()["data"], &mut owners);
    owners
}

#[tokio::test]
async fn a_trusted_document_is_answered_directly_with_the_documents_of_the_tenant() {
    let tickets = Tickets::start().await;
    for org in [1, 2, 3, 1] {
        let (answer, was_direct) = tickets.post(org, &json!({"documentId": "All"})).await;
        assert!(was_direct);
        assert_eq!(owners(&answer), [i64::from(org); 10], "{}", answer.text());
        // With GET and by its hash or its text, it is the same document.
        let (same, was_direct) = tickets
            .request("GET /graphql?documentId=All", org, "")
            .await;
        assert!(was_direct);
        assert_eq!(same.body, answer.body);
        let text = json!({"query": "{ tickets { id owner } }"});
        let (same, was_direct) = tickets.post(org, &text).await;
        assert!(was_direct);
        assert_eq!(same.body, answer.body);
        let hash = "14ea1cb6e2702f2c81a21d64425bd80438c512e47317ab415c437469cbc6ff7b";
        let extensions = json!({"persistedQuery": {"version": 1, "sha256Hash": hash}});
        let (same, was_direct) = tickets.post(org, &json!({"extensions": extensions})).await;
        assert!(was_direct);
        assert_eq!(same.body, answer.body);
    }
}

#[tokio::test]
async fn a_document_with_variables_or_pages_is_that_of_the_tenant() {
    let tickets = Tickets::start().await;
    let one = json!({"documentId": "One", "variables": {"id": 3}});
    for org in [1, 2, 3, 1] {
        let (answer, _) = tickets.post(org, &one).await;
        let expected = match org {
            1 => json!({"data": {"ticket": {"id": 3, "owner": 1}}}),
            _ => json!({"data": {"ticket": null}}),
        };
        assert_eq!(answer.json(), expected);
        let (answer, _) = tickets.post(org, &json!({"documentId": "Page"})).await;
        assert_eq!(owners(&answer), [i64::from(org); 3], "{}", answer.text());
    }
    let (answer, was_direct) = tickets.post(1, &one).await;
    assert!(was_direct, "{}", answer.text());
}

#[tokio::test]
async fn a_text_that_is_known_already_is_registered_with_its_hash() {
    let pool = fraiseql_tests::pool().await;
    fraiseql_tests::run(&pool, TABLES).await;
    let model = world::model::<Ticket>();
    model.migrate(&pool).await.unwrap();
    model.sync_all(&pool).await.unwrap();
    let query = Query::<(Ticket,)>::across_tenants(Readers::lending(pool));
    let schema = Schema::build(query, EmptyMutation, EmptySubscription)
        .extension(Prepared::default().validate_once(true).direct(true))
        .finish();
    let endpoint = GraphQl::new(schema).automatic_persisted_queries(10_000);
    let server = Server::start(endpoint).await;
    let text = "{ tickets { id owner } }";
    let hash = "14ea1cb6e2702f2c81a21d64425bd80438c512e47317ab415c437469cbc6ff7b";
    let extensions = json!({"persistedQuery": {"version": 1, "sha256Hash": hash}});
    // The second one is answered directly, and so is the third, which brings the hash.
    for _ in 0..2 {
        assert_eq!(server.query(text).await.status, 200);
    }
    let both = json!({"query": text, "extensions": extensions});
    let expected = server.post(&both.to_string()).await.json();
    let hash = json!({"extensions": extensions});
    assert_eq!(server.post(&hash.to_string()).await.json(), expected);
}
