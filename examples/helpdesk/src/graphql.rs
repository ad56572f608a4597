//! The GraphQL schema: root fields of the views, fields of our own, and the commands as mutations.

use async_graphql::{Context, EmptySubscription, Executor, Object, Schema};
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use fraiseql_graphql::http::{GraphQl, Refusal};
use fraiseql_graphql::{Prepared, Query, TvDoc, TvExtended};
use fraiseql_runtime::{Embed, TView as _};

use crate::app::App;
use crate::commands::{self, NewTicket, TicketChange};
use crate::error::Error;
use crate::session::Session;
use crate::views::{Agent, Organization, Person, Ticket, TicketStatus};

type Result<T> = std::result::Result<T, Refusal>;

/// The endpoint.
pub fn endpoint(app: &App) -> GraphQl<impl Executor> {
    let query = Query::<(Ticket, Agent, Organization)>::scoped(app.pool.clone(), |request| {
        request.data::<Session>().map(|session| session.org)
    });
    let schema = Schema::build(query, Mutation, EmptySubscription)
        .register_output_type::<TvExtended<Ticket, TicketFields>>()
        .extension(Prepared::default().validate_once(true).direct(true))
        .limit_depth(12)
        .limit_complexity(5_000)
        .data(app.clone())
        .finish();
    let app = app.clone();
    GraphQl::new(schema).graphiql(true).with_data(move |parts| {
        let (app, headers) = (app.clone(), parts.headers.clone());
        async move { Session::of(&app, &headers).await }
    })
}

/// Fields of a ticket that depend on the clock and on who asks, and what they need of the document.
#[derive(Debug, Embed)]
#[tview(table = "tb_ticket", shape_of = Ticket)]
pub struct TicketFields {
    status: TicketStatus,
    due_at: DateTime<Utc>,
    #[tview(one(fk = "org_id, assignee_id"))]
    assignee: Option<Person>,
}

#[Object]
impl TicketFields {
    /// Whether it should be closed by now.
    async fn is_overdue(&self) -> bool {
        self.status != TicketStatus::Closed && self.due_at < Utc::now()
    }

    /// Whether the agent who asks may close it.
    async fn viewer_can_close(&self, ctx: &Context<'_>) -> Result<bool> {
        let assignee = self.assignee.as_ref().map(|assignee| assignee.id);
        Ok(self.status != TicketStatus::Closed && session(ctx)?.may_set_status(assignee))
    }
}

/// The mutation type.
#[derive(Debug)]
pub struct Mutation;

/// The document of a ticket after a command.
type Changed = Option<TvDoc<Ticket>>;

#[Object]
impl Mutation {
    /// Creates a ticket.
    async fn create_ticket(&self, ctx: &Context<'_>, input: NewTicket) -> Result<Changed> {
        let number = commands::create_ticket(app(ctx), session(ctx)?, &input).await?;
        ticket(ctx, number).await
    }

    /// Answers a ticket.
    async fn add_message(&self, ctx: &Context<'_>, number: i32, body: String) -> Result<Changed> {
        commands::add_message(app(ctx), session(ctx)?, number, &body).await?;
        ticket(ctx, number).await
    }

    /// Assigns a ticket, closes it, or sets its due date. What an agent may depends on their role.
    async fn change_ticket(
        &self,
        ctx: &Context<'_>,
        number: i32,
        input: TicketChange,
    ) -> Result<Changed> {
        commands::change_ticket(app(ctx), session(ctx)?, number, &input).await?;
        ticket(ctx, number).await
    }
}

fn app<'c>(ctx: &Context<'c>) -> &'c App {
    ctx.data_unchecked()
}

fn session(ctx: &Context<'_>) -> Result<Session> {
    let session = ctx.data_opt().copied();
    session.ok_or_else(|| Refusal::from(StatusCode::UNAUTHORIZED))
}

async fn ticket(ctx: &Context<'_>, number: i32) -> Result<Changed> {
    let org = session(ctx)?.org;
    let found = TvDoc::find_in(&Ticket::of(org), &app(ctx).pool, (org, number)).await;
    Ok(found.map_err(Error::from)?)
}
