//! REST and GraphQL read the same documents, and run the same commands.

use fraiseql_runtime::TView as _;
use fraiseql_runtime::list::Page;
use helpdesk::views::{OrgId, Ticket};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Service, TICKETS};

/// All fields that are stored.
const TICKET: &str =
    "orgId number id subject status dueAt assignee { id name } requester { id name email }
    labels messages { id body sentAt agent { id name } } messageCount";
const AGENT: &str = "orgId id name role openTickets";

#[tokio::test]
async fn rest_and_graphql_read_the_same_documents() {
    let service = Service::start().await;
    for agent in &service.agents {
        let same = async |path: &str, field: String| {
            let by_rest = service.get(agent, path).await;
            let data = service.data(agent, &format!("{{ it: {field} }}")).await;
            assert_eq!(by_rest, data["it"], "{path}");
        };
        for number in 1..=TICKETS {
            let field = format!("ticket(number: {number}) {{ {TICKET} }}");
            same(&format!("/tickets/{number}"), field).await;
        }
        let (org, id) = (agent.org, agent.id);
        same("/me", format!("agent(id: {id}) {{ {AGENT} }}")).await;
        same(
            "/me",
            format!("agent(orgId: {org}, id: {id}) {{ {AGENT} }}"),
        )
        .await;
    }
}

#[tokio::test]
async fn pages_are_the_same_and_a_cursor_of_one_is_a_cursor_of_the_other() {
    let service = Service::start().await;
    let bob = service.bob();
    for (parameters, filter, count) in [
        ("", "{}".to_owned(), 30),
        ("&status=OPEN", "{status: {eq: OPEN}}".to_owned(), 20),
        (
            &format!("&status=OPEN&assignee={}", bob.id),
            format!("{{status: {{eq: OPEN}}, assigneeId: {{eq: {}}}}}", bob.id),
            10,
        ),
    ] {
        let (mut after, mut seen) = (Value::Null, Vec::new());
        loop {
            let cursor = after.as_str().map(|after| format!("&after={after}"));
            let path = format!("/tickets?first=7{parameters}{}", cursor.unwrap_or_default());
            let by_rest = service.get(bob, &path).await;
            let query = format!(
                "{{ ticketsConnection(first: 7, after: {after}, where: {filter}, orderBy: [{{dueAt: ASC}}]) {{
                    nodes {{ {TICKET} }} pageInfo {{ endCursor hasNextPage }} }} }}"
            );
            let mut data = service.data(bob, &query).await;
            let page = data["ticketsConnection"].take();
            assert_eq!(by_rest["items"], page["nodes"]);
            seen.extend(
                by_rest["items"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|ticket| ticket["dueAt"].to_string()),
            );
            if page["pageInfo"]["hasNextPage"] == json!(false) {
                assert_eq!(by_rest["next"], json!(null));
                break;
            }
            assert_eq!(by_rest["next"], page["pageInfo"]["endCursor"]);
            after = by_rest["next"].clone();
        }
        assert_eq!(seen.len(), count, "{parameters}");
        assert!(seen.is_sorted());
    }
}

#[tokio::test]
async fn commands_answer_with_the_documents_that_they_have_written() {
    let service = Service::start().await;
    let (ada, bob) = (service.ada(), service.bob());
    let new = json!({"requester": 1, "subject": "No light", "body": "It is dark."});
    let response = service
        .send(Some(bob), Method::POST, "/tickets", Some(&new))
        .await;
    assert_eq!(response.status(), 201);
    assert_eq!(response.headers()["location"], "/tickets/31");
    let created: Value = response.json().await.unwrap();
    assert_eq!(created, service.get(ada, "/tickets/31").await);
    assert_eq!(
        (&created["number"], &created["status"]),
        (&json!(31), &json!("OPEN"))
    );
    assert_eq!(created["messages"][0]["body"], "It is dark.");
    assert_eq!(created["messages"][0]["agent"], json!(null));

    let answer = json!({"body": "Try the switch."});
    let (status, answered) = service
        .call(bob, Method::POST, "/tickets/31/messages", Some(&answer))
        .await;
    assert_eq!(
        (status.as_u16(), &answered["messageCount"]),
        (201, &json!(2))
    );
    assert_eq!(
        answered["messages"][0]["agent"],
        json!({"id": bob.id, "name": "Bob of Acme"})
    );

    let change = json!({"assignee": bob.id, "status": "CLOSED", "dueAt": "2030-01-01T00:00:00Z"});
    let (status, changed) = service
        .call(bob, Method::PATCH, "/tickets/31", Some(&change))
        .await;
    assert_eq!(
        (status.as_u16(), &changed["status"]),
        (200, &json!("CLOSED"))
    );
    assert_eq!(changed["assignee"]["id"], bob.id);
    assert_eq!(changed["dueAt"], "2030-01-01T00:00:00+00:00");

    // The same by GraphQL.
    let mutation = "mutation {
        createTicket(input: {requester: 1, subject: \"Noise\", body: \"It is loud.\"}) { number }
        addMessage(number: 32, body: \"Earplugs.\") { messageCount }
        take: changeTicket(number: 32, input: {assignee: 1, status: PENDING, dueAt: \"2020-01-01T00:00:00Z\"}) {
            status assignee { id } isOverdue viewerCanClose }
        leave: changeTicket(number: 32, input: {assignee: null}) { status assignee { id } } }";
    assert_eq!(
        service.data(ada, mutation).await,
        json!({
            "createTicket": {"number": 32},
            "addMessage": {"messageCount": 2},
            "take": {"status": "PENDING", "assignee": {"id": 1}, "isOverdue": true, "viewerCanClose": true},
            "leave": {"status": "PENDING", "assignee": null},
        })
    );
}

#[tokio::test]
async fn the_numbers_of_an_organization_are_left_to_the_worker() {
    let service = Service::start().await;
    let numbers = async || {
        let mut data = service
            .data(
                service.ada(),
                "{ organization { tickets { status count } } }",
            )
            .await;
        data["organization"]["tickets"].take()
    };
    let before = json!([{"status": "OPEN", "count": 20}, {"status": "CLOSED", "count": 10}]);
    assert_eq!(numbers().await, before);
    let change = json!({"status": "PENDING"});
    service
        .call(service.ada(), Method::PATCH, "/tickets/1", Some(&change))
        .await;
    assert_eq!(numbers().await, before);
    service.assert_synced().await;
    let after = json!([
        {"status": "OPEN", "count": 19}, {"status": "PENDING", "count": 1}, {"status": "CLOSED", "count": 10}
    ]);
    assert_eq!(numbers().await, after);
}

#[tokio::test]
async fn the_tickets_of_an_agent_by_due_date_are_one_range_of_an_index() {
    let service = Service::start().await;
    let mut connection = service.app.pool.acquire().await.unwrap();
    // The table is small, and would be read as a whole.
    sqlx::raw_sql("SET enable_seqscan = off; SET enable_bitmapscan = off")
        .execute(&mut *connection)
        .await
        .unwrap();
    let list = Ticket::of(OrgId(1))
        .list()
        .filter(Ticket::ASSIGNEE_ID.eq(2))
        .order_by(Ticket::DUE_AT.asc());
    let first = list.page(Page::first(3), &service.app.pool).await.unwrap();
    let next = Page::first(3).after(first.end().cloned());
    // A later page also looks for tickets without a due date, which documents of another release might lack.
    for (page, scans) in [(Page::first(3), 1), (next, 2)] {
        let plan = list.explain_page(page, &mut *connection).await.unwrap();
        let index = "Index Scan using tv_ticket_assignee_id_due_at_number_idx";
        let begins = "Index Cond: ((org_id = 1) AND (assignee_id = 2)";
        assert_eq!(plan.matches(index).count(), scans, "{plan}");
        assert_eq!(plan.matches(begins).count(), scans, "{plan}");
        assert!(
            !plan.contains("Sort  (") && !plan.contains("Filter"),
            "{plan}"
        );
    }
}
