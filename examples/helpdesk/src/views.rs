//! The documents that agents read. The tenant of each is the organization, and a column of its key.
//!
//! Comments on structs and fields are also the descriptions in the GraphQL schema.

use chrono::{DateTime, Utc};
use fraiseql_runtime::model::ReadModelBuilder;
use fraiseql_runtime::{Capture, Embed, GlobalId, ReadModel, TEnum, TScalar, TView};

/// The key of an organization. With a type of its own, no other number is passed for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, TScalar)]
pub struct OrgId(pub i32);

/// What an agent may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TEnum)]
#[tview(rename_all = "snake_case")]
pub enum Role {
    /// Assign and close all tickets.
    Admin,
    /// Take tickets of nobody, and close them.
    Agent,
}

/// Where a ticket stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TEnum, async_graphql::Enum)]
#[tview(rename_all = "snake_case")]
pub enum TicketStatus {
    /// An agent has to answer.
    Open,
    /// The customer has to answer.
    Pending,
    /// It is done.
    Closed,
}

/// A ticket with everything that its page shows.
#[derive(Debug, TView)]
#[tview(
    table = "tb_ticket",
    data = "json",
    // An agent's tickets by due date, after the organization: a page of them is one range.
    index(on = "assignee_id, due_at, number")
)]
pub struct Ticket {
    /// The organization.
    #[tview(key, tenant)]
    pub org_id: OrgId,
    /// The number within the organization.
    #[tview(key)]
    pub number: i32,
    /// For clients that store documents by one id.
    #[tview(global_id)]
    pub id: GlobalId,
    /// What it is about.
    pub subject: String,
    /// Where it stands. It changes often, so it has no index.
    #[tview(filter, index = false)]
    pub status: TicketStatus,
    /// When it should be closed.
    #[tview(sort)]
    pub due_at: DateTime<Utc>,
    /// To filter by: what is shown is `assignee`.
    #[tview(filter, hidden, index = false)]
    pub assignee_id: Option<i32>,
    /// Who works on it.
    #[tview(one(fk = "org_id, assignee_id"))]
    pub assignee: Option<Person>,
    /// Who has asked.
    #[tview(one(fk = "org_id, requester_id", key = "org_id, id"))]
    pub requester: Requester,
    /// Its labels.
    #[tview(values(
        table = "tb_label",
        column = "name",
        through(
            table = "tb_ticket_label",
            fk = "org_id, ticket_number",
            to = "org_id, label_id",
            key = "org_id, id"
        )
    ))]
    pub labels: Vec<String>,
    /// The newest fifty messages, newest first.
    #[tview(many(fk = "org_id, ticket_number", order_by = "id DESC", limit = 50))]
    pub messages: Vec<Message>,
    /// The number of all messages.
    #[tview(count(table = "tb_message", fk = "org_id, ticket_number"))]
    pub message_count: i64,
}

/// An agent.
#[derive(Debug, TView)]
#[tview(table = "tb_agent", data = "json")]
pub struct Agent {
    /// The organization.
    #[tview(key, tenant)]
    pub org_id: OrgId,
    /// The number for programs.
    #[tview(key)]
    pub id: i32,
    /// The full name.
    #[tview(sort)]
    pub name: String,
    /// What the agent may do.
    pub role: Role,
    /// The number of their tickets that are not closed.
    #[tview(count(
        table = "tb_ticket",
        fk = "org_id, assignee_id",
        filter = "status <> 'closed'"
    ))]
    pub open_tickets: i64,
}

// Every ticket changes its numbers. The worker writes them, so that no command waits for another one.
/// An organization.
#[derive(Debug, TView)]
#[tview(table = "tb_organization", data = "json", sync = "eventual")]
pub struct Organization {
    /// The number for programs.
    #[tview(key, tenant)]
    pub id: OrgId,
    /// What it is called.
    pub name: String,
    /// The number of its tickets, by status.
    #[tview(many(fk = "org_id", order_by = "status"))]
    pub tickets: Vec<TicketsByStatus>,
}

/// The tickets of an organization in one status.
#[derive(Debug, Embed)]
#[tview(table = "tb_ticket", group_by = "status")]
pub struct TicketsByStatus {
    /// The status.
    pub status: TicketStatus,
    /// How many there are.
    #[tview(count)]
    pub count: i64,
}

/// An agent at a ticket or a message.
#[derive(Debug, Embed)]
#[tview(table = "tb_agent", shape_of = Agent)]
pub struct Person {
    /// The number for programs.
    pub id: i32,
    /// The full name.
    pub name: String,
}

/// A customer at a ticket.
#[derive(Debug, Embed)]
#[tview(table = "tb_customer")]
pub struct Requester {
    /// The number for programs.
    pub id: i32,
    /// The full name.
    pub name: String,
    /// The address for answers.
    pub email: String,
}

/// A message at its ticket.
#[derive(Debug, Embed)]
#[tview(table = "tb_message")]
pub struct Message {
    /// The number for programs.
    pub id: i32,
    /// The text.
    pub body: String,
    /// When it was sent.
    pub sent_at: DateTime<Utc>,
    /// Who wrote it; null if it was the customer.
    #[tview(one(fk = "org_id, agent_id"))]
    pub agent: Option<Person>,
}

/// The views. Triggers record which rows change, whoever changes them.
pub fn read_model() -> ReadModelBuilder {
    ReadModel::builder()
        .view::<Ticket>()
        .view::<Agent>()
        .view::<Organization>()
        .capture(Capture::Queue)
}
