//! A session of one organization never sees or changes another's: random requests, with keys and cursors of all
//! organizations, and what the database itself refuses.

use fraiseql_runtime::GlobalId;
use helpdesk::views::{OrgId, Ticket};
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Agent, ORGS, Service, TICKETS};

/// A request, as its method, path and body.
type Request = (Method, String, Option<Value>);

const TICKET: &str =
    "orgId number id subject assignee { name } requester { name email } labels messages { body }";

/// A random request of REST or GraphQL. Keys and cursors may be those of any organization.
fn request(random: &mut SmallRng, cursors: &[String]) -> Request {
    let org = random.random_range(1..=3);
    let number = random.random_range(1..=TICKETS + 5);
    let (agent, customer) = (random.random_range(1..=8), random.random_range(1..=15));
    let status = ["OPEN", "PENDING", "CLOSED"][random.random_range(0..3)];
    let cursor = cursors.get(random.random_range(0..=cursors.len()));
    let parameter = cursor.map(|cursor| format!("&after={cursor}"));
    let parameter = parameter.unwrap_or_default();
    let after = cursor.map_or_else(|| "null".to_owned(), |cursor| format!("\"{cursor}\""));
    let get = |path: String| (Method::GET, path, None);
    let graphql = |query: String| {
        (
            Method::POST,
            "/graphql".to_owned(),
            Some(json!({"query": query})),
        )
    };
    let query = |fields: String| graphql(format!("{{ {fields} }}"));
    let mutation = |field: String| {
        graphql(format!(
            "mutation {{ {field} {{ {TICKET} viewerCanClose }} }}"
        ))
    };
    let ticket = format!("/tickets/{number}");
    match random.random_range(1..=20) {
        1 => get(ticket),
        2 => get("/me".to_owned()),
        3 => get(format!("/tickets?first=4{parameter}")),
        4 => get(format!("/tickets?first=4&status={status}{parameter}")),
        5 => get(format!("/tickets?first=4&assignee={agent}{parameter}")),
        6 => {
            let body = json!({"requester": customer, "subject": "New", "body": "New"});
            (Method::POST, "/tickets".to_owned(), Some(body))
        }
        7 => (Method::POST, format!("{ticket}/messages"), Some(json!({"body": "New"}))),
        8 => (Method::PATCH, ticket, Some(json!({"assignee": agent}))),
        9 => (Method::PATCH, ticket, Some(json!({"assignee": agent, "status": status}))),
        10 => query(format!("ticket(orgId: {org}, number: {number}) {{ {TICKET} isOverdue }}")),
        20 => {
            let id = GlobalId::of::<Ticket>(&(OrgId(org), number));
            query(format!("ticket(id: \"{id}\") {{ {TICKET} isOverdue }}"))
        }
        11 => query(format!("ticket(number: {number}) {{ {TICKET} }}")),
        12 => query(format!("tickets(where: {{orgId: {{eq: {org}}}}}, limit: 5) {{ {TICKET} }}")),
        13 => query(format!("tickets(where: {{assigneeId: {{eq: {agent}}}}}) {{ {TICKET} }}")),
        14 => query(format!(
            "ticketsConnection(first: 4, after: {after}, orderBy: [{{dueAt: ASC}}]) {{
                nodes {{ {TICKET} }} pageInfo {{ endCursor }} }}"
        )),
        15 => query(format!(
            "agent(orgId: {org}, id: {agent}) {{ orgId name }} mine: agent(id: {agent}) {{ orgId name }}
             agents {{ orgId name openTickets }}"
        )),
        16 => query(format!(
            "organization(id: {org}) {{ name }} mine: organization {{ name }} organizations {{ name }}"
        )),
        17 => mutation(format!("addMessage(number: {number}, body: \"New\")")),
        18 => mutation(format!("changeTicket(number: {number}, input: {{assignee: {agent}}})")),
        _ => mutation(format!(
            "createTicket(input: {{requester: {customer}, subject: \"New\", body: \"New\"}})"
        )),
    }
}

/// The numbers of organizations in a response.
fn organizations(response: &Value, found: &mut Vec<i64>) {
    match response {
        Value::Array(items) => items.iter().for_each(|item| organizations(item, found)),
        Value::Object(fields) => {
            found.extend(fields.get("orgId").and_then(Value::as_i64));
            fields
                .values()
                .for_each(|value| organizations(value, found));
        }
        _ => {}
    }
}

/// The cursors in a response.
fn cursor(response: &Value) -> Option<String> {
    let page = &response["data"]["ticketsConnection"]["pageInfo"]["endCursor"];
    response["next"]
        .as_str()
        .or(page.as_str())
        .map(str::to_owned)
}

#[tokio::test]
async fn no_request_sees_or_changes_the_rows_of_another_organization() {
    let service = Service::start().await;
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let mut random = SmallRng::seed_from_u64(seed);
    let (mut cursors, mut seen, mut changed) = (Vec::new(), 0, 0);
    let mut before = service.digests().await;
    for _ in 0..1_500 {
        let agent = &service.agents[random.random_range(0..service.agents.len())];
        let (method, path, body) = request(&mut random, &cursors);
        let (status, response) = service
            .call(agent, method.clone(), &path, body.as_ref())
            .await;
        let what = format!(
            "seed {seed}: org {} {method} {path} {body:?}: {status} {response:#}",
            agent.org
        );
        assert!(!status.is_server_error(), "{what}");
        let mut found = Vec::new();
        organizations(&response, &mut found);
        assert!(
            found.iter().all(|org| *org == i64::from(agent.org)),
            "{what}"
        );
        let text = response.to_string().to_lowercase();
        for (org, name) in (1..).zip(ORGS) {
            let names_it = text.contains(name);
            assert!(!names_it || org == agent.org, "{what}");
            seen += i32::from(names_it);
        }
        let after = service.digests().await;
        for (org, (before, after)) in (1..).zip(before.iter().zip(&after)) {
            assert!(before == after || org == agent.org, "{what}");
            changed += i32::from(before != after);
        }
        before = after;
        cursors.extend(cursor(&response));
    }
    println!(
        "{seen} responses with documents, {changed} changes, {} cursors",
        cursors.len()
    );
    assert!(seen > 500 && changed > 100 && cursors.len() > 100);
    service.assert_synced().await;
}

/// Two requests that differ in one number, which is that of another organization, or of nothing.
async fn same(service: &Service, agent: &Agent, of_other: i32, request: impl Fn(i32) -> Request) {
    let answer = async |number: i32| {
        let (method, path, body) = request(number);
        let (status, response) = service.call(agent, method, &path, body.as_ref()).await;
        let said = json!([response["detail"], response["data"], response["errors"]]);
        (status, said.to_string().replace(&number.to_string(), "?"))
    };
    assert_eq!(answer(of_other).await, answer(99_999).await);
}

#[tokio::test]
async fn what_another_organization_has_is_as_what_does_not_exist() {
    let service = Service::start().await;
    let before = service.digests().await;
    let ada = service.ada();
    // A ticket that only Globex has.
    let globex = &service.agents[2];
    let new = json!({"requester": 7, "subject": "Of Globex", "body": "Of Globex"});
    let (status, created) = service
        .call(globex, Method::POST, "/tickets", Some(&new))
        .await;
    assert_eq!((status.as_u16(), &created["number"]), (201, &json!(31)));
    let patch = |body: Value| (Method::PATCH, "/tickets/1".to_owned(), Some(body));
    let query = |query: String| {
        (
            Method::POST,
            "/graphql".to_owned(),
            Some(json!({"query": query})),
        )
    };
    same(&service, ada, 31, |number| {
        (Method::GET, format!("/tickets/{number}"), None)
    })
    .await;
    same(&service, ada, 31, |number| {
        (
            Method::POST,
            format!("/tickets/{number}/messages"),
            Some(json!({"body": "New"})),
        )
    })
    .await;
    same(&service, ada, 31, |number| {
        (
            Method::PATCH,
            format!("/tickets/{number}"),
            Some(json!({"status": "CLOSED"})),
        )
    })
    .await;
    same(&service, ada, 4, |id| patch(json!({"assignee": id}))).await;
    same(&service, ada, 7, |id| {
        let new = json!({"requester": id, "subject": "New", "body": "New"});
        (Method::POST, "/tickets".to_owned(), Some(new))
    })
    .await;
    same(&service, ada, 2, |org| {
        query(format!(
            "{{ ticket(orgId: {org}, number: 1) {{ number }} }}"
        ))
    })
    .await;
    same(&service, ada, 2, |org| {
        query(format!("{{ agent(orgId: {org}, id: 4) {{ name }} }}"))
    })
    .await;
    same(&service, ada, 2, |org| {
        query(format!("{{ organization(id: {org}) {{ name }} }}"))
    })
    .await;
    same(&service, ada, 2, |org| {
        query(format!(
            "{{ tickets(where: {{orgId: {{in: [{org}]}}}}) {{ number }} }}"
        ))
    })
    .await;
    let after = service.digests().await;
    assert_eq!((&after[0], &after[2]), (&before[0], &before[2]));
}

#[tokio::test]
async fn the_database_refuses_a_row_that_refers_to_another_organization() {
    let service = Service::start().await;
    for sql in [
        "UPDATE tb_ticket SET assignee_id = 4 WHERE (org_id, number) = (1, 1)",
        "UPDATE tb_ticket SET requester_id = 7 WHERE (org_id, number) = (1, 1)",
        "UPDATE tb_message SET agent_id = 4 WHERE (org_id, ticket_number) = (1, 2)",
        "INSERT INTO tb_ticket_label VALUES (1, 1, 5)",
        "INSERT INTO tb_session VALUES ('', 1, 4, now())",
        "UPDATE tb_agent SET org_id = 2 WHERE id = 2",
    ] {
        let error = sqlx::raw_sql(sql)
            .execute(&service.app.pool)
            .await
            .unwrap_err();
        let kind = error.as_database_error().unwrap().kind();
        assert!(
            matches!(kind, sqlx::error::ErrorKind::ForeignKeyViolation),
            "{sql}: {error}"
        );
    }
}
