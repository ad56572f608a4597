//! The routes. Those of REST answer with stored documents as they are, or with a problem.

use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header::LOCATION};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use fraiseql_runtime::TView as _;
use fraiseql_runtime::list::{Cursor, Page};
use fraiseql_runtime::read::Document;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::app::App;
use crate::commands::{self, NewTicket, TicketChange};
use crate::error::{Result, as_problem};
use crate::graphql;
use crate::session::Session;
use crate::views::{Agent, Ticket, TicketStatus};

/// All routes: those of REST, and the endpoint of GraphQL.
pub fn router(app: &App) -> Router {
    Router::new()
        .route("/me", get(me))
        .route("/tickets", get(tickets).post(create_ticket))
        .route("/tickets/{number}", get(ticket).patch(change_ticket))
        .route("/tickets/{number}/messages", post(add_message))
        .layer(map_response(as_problem))
        .route_service("/graphql", graphql::endpoint(app))
        .with_state(app.clone())
}

/// Which tickets, and which page of them: the first, or the one after a cursor.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    status: Option<TicketStatus>,
    assignee: Option<i32>,
    after: Option<String>,
    first: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewMessage {
    body: String,
}

/// A page, and the cursor after which the next one begins.
#[derive(Debug, Serialize)]
struct Tickets<'p> {
    items: Vec<&'p Document>,
    next: Option<String>,
}

/// Tickets by due date.
async fn tickets(
    State(app): State<App>,
    session: Session,
    Query(parameters): Query<Parameters>,
) -> Result<Response> {
    let mut list = Ticket::of(session.org).list();
    if let Some(status) = parameters.status {
        list = list.filter(Ticket::STATUS.eq(status));
    }
    if let Some(assignee) = parameters.assignee {
        list = list.filter(Ticket::ASSIGNEE_ID.eq(assignee));
    }
    let after = parameters.after.map(|text| text.parse::<Cursor>());
    let page = Page::first(parameters.first.unwrap_or(20).min(100)).after(after.transpose()?);
    let by_due_date = list.order_by(Ticket::DUE_AT.asc());
    let page = by_due_date.page(page, &app.pool).await?;
    let next = page.end().filter(|_| page.has_next());
    let tickets = Tickets {
        items: page.items().map(|(_, ticket)| ticket).collect(),
        next: next.map(Cursor::to_string),
    };
    Ok(Json(tickets).into_response())
}

async fn ticket(
    State(app): State<App>,
    Session { org, .. }: Session,
    Path(number): Path<i32>,
) -> Result<Json<Box<RawValue>>> {
    let found = Ticket::of(org).find_json(&app.pool, (org, number)).await?;
    Ok(Json(found.ok_or_else(|| commands::no_ticket(number))?))
}

async fn create_ticket(
    State(app): State<App>,
    session: Session,
    Json(new): Json<NewTicket>,
) -> Result<Response> {
    let number = commands::create_ticket(&app, session, &new).await?;
    let created = ticket(State(app), session, Path(number)).await?;
    let location = [(LOCATION, format!("/tickets/{number}"))];
    Ok((StatusCode::CREATED, location, created).into_response())
}

async fn change_ticket(
    State(app): State<App>,
    session: Session,
    Path(number): Path<i32>,
    Json(change): Json<TicketChange>,
) -> Result<Json<Box<RawValue>>> {
    commands::change_ticket(&app, session, number, &change).await?;
    ticket(State(app), session, Path(number)).await
}

async fn add_message(
    State(app): State<App>,
    session: Session,
    Path(number): Path<i32>,
    Json(new): Json<NewMessage>,
) -> Result<Response> {
    commands::add_message(&app, session, number, &new.body).await?;
    let answered = ticket(State(app), session, Path(number)).await?;
    Ok((StatusCode::CREATED, answered).into_response())
}

async fn me(State(app): State<App>, session: Session) -> Result<Json<Option<Box<RawValue>>>> {
    let me = (session.org, session.agent);
    let found = Agent::of(session.org).find_json(&app.pool, me).await?;
    Ok(Json(found))
}
