//! What an agent may not do, and an admin may.

use reqwest::Method;
use serde_json::json;

use crate::support::{Service, TICKETS};

#[tokio::test]
async fn an_agent_takes_tickets_of_nobody_and_leaves_their_own() {
    let service = Service::start().await;
    let (ada, bob) = (service.ada().id, service.bob().id);
    // The odd tickets are nobody's, the even ones Bob's.
    for (number, assignee, of_agent, of_admin) in [
        (1, json!(bob), 200, 200),
        (2, json!(null), 200, 200),
        (3, json!(ada), 403, 200),
        (3, json!(bob), 403, 200),
        (4, json!(ada), 403, 200),
    ] {
        let body = json!({"assignee": assignee});
        let path = format!("/tickets/{number}");
        for (agent, expected) in [(service.bob(), of_agent), (service.ada(), of_admin)] {
            let (status, body) = service.call(agent, Method::PATCH, &path, Some(&body)).await;
            assert_eq!(status, expected, "{path} {body}");
            if expected == 200 {
                let id = body["assignee"].get("id").unwrap_or(&body["assignee"]);
                assert_eq!(*id, assignee);
            }
        }
    }
    service.assert_synced().await;
}

#[tokio::test]
async fn a_refused_change_changes_nothing() {
    let service = Service::start().await;
    let before = service.digests().await;
    // A ticket of nobody is not closed before it is taken.
    let close = json!({"status": "CLOSED", "dueAt": "2030-01-01T00:00:00Z"});
    let (status, problem) = service
        .call(service.bob(), Method::PATCH, "/tickets/1", Some(&close))
        .await;
    let detail = "only its assignee or an admin sets the status of a ticket";
    assert_eq!((status.as_u16(), &problem["detail"]), (403, &json!(detail)));
    let mutation =
        "mutation { changeTicket(number: 2, input: {assignee: 1, status: OPEN}) { number } }";
    let response = service.graphql(service.bob(), mutation).await;
    assert_eq!(response["data"]["changeTicket"], json!(null));
    let error = &response["errors"][0];
    assert_eq!(
        error["message"],
        "only an admin assigns the tickets of others"
    );
    assert_eq!(error["extensions"]["code"], "FORBIDDEN");
    assert_eq!(service.digests().await, before);
}

#[tokio::test]
async fn what_a_viewer_can_close_is_what_they_may_close() {
    let service = Service::start().await;
    for agent in [service.bob(), service.ada()] {
        let query = "{ tickets(limit: 100) { number status isOverdue viewerCanClose } }";
        let data = service.data(agent, query).await;
        let tickets = data["tickets"].as_array().unwrap();
        assert_eq!(tickets.len(), usize::try_from(TICKETS).unwrap());
        let (mut closed, mut refused) = (0, 0);
        for ticket in tickets.iter().filter(|ticket| ticket["status"] != "CLOSED") {
            let path = format!("/tickets/{}", ticket["number"]);
            let body = json!({"status": "CLOSED"});
            let (status, _) = service.call(agent, Method::PATCH, &path, Some(&body)).await;
            assert_eq!(ticket["viewerCanClose"], json!(status == 200), "{ticket}");
            *if status == 200 {
                &mut closed
            } else {
                &mut refused
            } += 1;
        }
        // Bob closes his ten, and the admin the other ten.
        assert_eq!((closed, refused), (10, if agent.is_admin { 0 } else { 10 }));
        let closed = service
            .data(
                agent,
                "{ tickets(where: {status: {eq: CLOSED}}) { isOverdue viewerCanClose } }",
            )
            .await;
        for ticket in closed["tickets"].as_array().unwrap() {
            assert_eq!(
                *ticket,
                json!({"isOverdue": false, "viewerCanClose": false})
            );
        }
    }
    service.assert_synced().await;
}
