//! The commands: each writes rows in a mutation, which commits them together with their documents.
//! Triggers record what is changed, so no command names a document. REST and GraphQL call the same
//! commands with the same input.

use async_graphql::{InputObject, MaybeUndefined};
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use fraiseql_runtime::{TEnum as _, mutate};
use serde::Deserialize;
use sqlx::{query, query_scalar};

use crate::app::App;
use crate::error::{Error, Result};
use crate::session::Session;
use crate::views::TicketStatus;

/// What a customer asks.
#[derive(Clone, Debug, Deserialize, InputObject)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewTicket {
    /// The customer.
    pub requester: i32,
    /// What it is about.
    pub subject: String,
    /// The first message.
    pub body: String,
    /// When it should be closed. The default is in two days.
    pub due_at: Option<DateTime<Utc>>,
}

/// A change of a ticket. What is left out stays as it is.
#[derive(Clone, Debug, Deserialize, InputObject)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TicketChange {
    /// Who works on it; null for nobody.
    #[serde(default)]
    pub assignee: MaybeUndefined<i32>,
    /// Where it stands.
    pub status: Option<TicketStatus>,
    /// When it should be closed.
    pub due_at: Option<DateTime<Utc>>,
}

/// Creates a ticket with its first message, and returns its number.
pub async fn create_ticket(app: &App, session: Session, new: &NewTicket) -> Result<i32> {
    let created = mutate!(app.model, app.pool, |m| -> Result<i32> {
        m.strict(); // a document that cannot be written fails the command
        let number = query_scalar(
            "WITH ticket AS (
                 INSERT INTO tb_ticket (org_id, requester_id, subject, due_at)
                 VALUES ($1, $2, $3, coalesce($4, now() + interval '2 days')) RETURNING *),
             message AS (
                 INSERT INTO tb_message (org_id, ticket_number, body)
                 SELECT org_id, number, $5 FROM ticket)
             SELECT number FROM ticket",
        )
        .bind(session.org.0)
        .bind(new.requester)
        .bind(&new.subject)
        .bind(new.due_at)
        .bind(&new.body);
        Ok(number.fetch_one(&mut **m).await?)
    });
    created.await.map(|(number, _)| number)
}

/// Adds an answer of the agent to a ticket.
pub async fn add_message(app: &App, session: Session, number: i32, body: &str) -> Result<()> {
    let added = mutate!(app.model, app.pool, |m| -> Result<()> {
        m.strict();
        let message: Option<i32> = query_scalar(
            "INSERT INTO tb_message (org_id, ticket_number, agent_id, body)
             SELECT org_id, number, $3, $4 FROM tb_ticket WHERE (org_id, number) = ($1, $2)
             RETURNING id",
        )
        .bind(session.org.0)
        .bind(number)
        .bind(session.agent)
        .bind(body)
        .fetch_optional(&mut **m)
        .await?;
        message.map(drop).ok_or_else(|| no_ticket(number))
    });
    added.await.map(drop)
}

/// Changes a ticket, as far as the agent may.
pub async fn change_ticket(
    app: &App,
    session: Session,
    number: i32,
    change: &TicketChange,
) -> Result<()> {
    let forbidden = |text: &str| Err(Error::Refused(StatusCode::FORBIDDEN, text.into()));
    let changed = mutate!(app.model, app.pool, |m| -> Result<()> {
        m.strict();
        let from: Option<Option<i32>> = query_scalar(
            "SELECT assignee_id FROM tb_ticket WHERE (org_id, number) = ($1, $2) FOR NO KEY UPDATE",
        )
        .bind(session.org.0)
        .bind(number)
        .fetch_optional(&mut **m)
        .await?;
        let from = from.ok_or_else(|| no_ticket(number))?;
        let to = Option::from(change.assignee).unwrap_or(from);
        if to != from && !session.may_assign(from, to) {
            return forbidden("only an admin assigns the tickets of others");
        }
        if change.status.is_some() && !session.may_set_status(to) {
            return forbidden("only its assignee or an admin sets the status of a ticket");
        }
        query(
            "UPDATE tb_ticket SET assignee_id = $3, due_at = coalesce($4, due_at),
                 status = coalesce($5::text::ticket_status, status)
             WHERE (org_id, number) = ($1, $2)",
        )
        .bind(session.org.0)
        .bind(number)
        .bind(to)
        .bind(change.due_at)
        .bind(change.status.map(|status| status.label()))
        .execute(&mut **m)
        .await?;
        Ok(())
    });
    changed.await.map(drop)
}

/// The error of a ticket that the organization does not have.
pub fn no_ticket(number: i32) -> Error {
    let text = format!("there is no ticket {number}");
    Error::Refused(StatusCode::NOT_FOUND, text)
}
