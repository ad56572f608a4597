//! The views, and the parts in them.

use fraiseql_runtime::model::ReadModelBuilder;
use fraiseql_runtime::{Embed, ReadModel, TView};
use rust_decimal::Decimal;

pub(super) fn model() -> ReadModelBuilder {
    ReadModel::builder()
        .view::<Distinct>()
        .view::<Ticket>()
        .view::<First>()
        .view::<Lists>()
        .view::<Playlist>()
        .view::<Totals>()
        .view::<Grouped>()
}

/// Aggregates in which equal values count once.
#[derive(TView)]
#[tview(table = "tb_project")]
#[allow(dead_code)]
struct Distinct {
    id: i64,
    #[tview(count(table = "tb_ticket", fk = "project_id", expr = "{}.status", distinct))]
    statuses: i64,
    #[tview(sum(table = "tb_ticket", fk = "project_id", expr = "{}.points", distinct))]
    sum: Decimal,
    #[tview(avg(table = "tb_ticket", fk = "project_id", expr = "{}.points", distinct))]
    avg: Option<Decimal>,
    #[tview(sum(table = "tb_ticket", fk = "project_id", expr = "{}.points"))]
    all: Decimal,
}

#[derive(TView)]
#[allow(dead_code)]
struct Ticket {
    id: i64,
    #[tview(one(fk = "project_id"))]
    project: Project,
    #[tview(count(table = "tb_hours", fk = "ticket_id", expr = "{}.person", distinct))]
    people: i32,
}

#[derive(Embed)]
#[allow(dead_code)]
struct Project {
    name: String,
    #[tview(many(
        through(table = "tb_project_label", fk = "project_id", to = "label_id"),
        order_by = "name"
    ))]
    labels: Vec<Label>,
}

#[derive(Embed)]
#[allow(dead_code)]
struct Label {
    id: i64,
    name: String,
}

/// The first row of a list: with a filter, in a part that is a first row itself, and through a join
/// table.
#[derive(TView)]
#[tview(table = "tb_project")]
#[allow(dead_code)]
pub(super) struct First {
    id: i64,
    #[tview(first(
        fk = "project_id",
        order_by = "points DESC NULLS LAST",
        filter = "{}.status <> 'new'"
    ))]
    best: Option<Best>,
    #[tview(first(
        through(table = "tb_project_label", fk = "project_id", to = "label_id"),
        order_by = "name DESC"
    ))]
    label: Option<Box<Label>>,
    #[tview(many(fk = "project_id"))]
    tickets: Vec<Best>,
}

#[derive(Embed)]
#[tview(table = "tb_ticket")]
#[allow(dead_code)]
struct Best {
    id: i64,
    points: Option<Decimal>,
    #[tview(first(fk = "ticket_id", order_by = "hours DESC"))]
    longest: Option<Hours>,
}

#[derive(Embed)]
#[allow(dead_code)]
struct Hours {
    id: i64,
    person: String,
    hours: Decimal,
}

/// Values of the rows of a list: a column, an expression, different ones, limited, and through a join
/// table.
#[derive(TView)]
#[tview(table = "tb_project")]
#[allow(dead_code)]
pub(super) struct Lists {
    id: i64,
    #[tview(values(table = "tb_ticket", fk = "project_id", column = "points"))]
    points: Vec<Option<Decimal>>,
    #[tview(values(
        table = "tb_ticket",
        fk = "project_id",
        expr = "upper({}.status)",
        distinct,
        filter = "{}.points IS NOT NULL"
    ))]
    statuses: Vec<String>,
    #[tview(values(
        table = "tb_ticket",
        fk = "project_id",
        column = "id",
        order_by = "points DESC NULLS LAST, status",
        limit = 2
    ))]
    best: Vec<i64>,
    #[tview(values(
        table = "tb_label",
        through(table = "tb_project_label", fk = "project_id", to = "label_id"),
        column = "name"
    ))]
    labels: Vec<String>,
    #[tview(values(
        table = "tb_label",
        through(table = "tb_project_label", fk = "project_id", to = "label_id"),
        column = "name",
        order_by = "name DESC",
        distinct,
        limit = 2
    ))]
    last_labels: Vec<String>,
    #[tview(many(fk = "project_id"))]
    tickets: Vec<People>,
}

#[derive(Embed)]
#[tview(table = "tb_ticket")]
#[allow(dead_code)]
struct People {
    id: i64,
    #[tview(values(table = "tb_hours", fk = "ticket_id", column = "person", distinct))]
    people: Vec<String>,
}

/// Lists in the order of a join table, with a column of it: whole, limited, the first row, and values.
#[derive(TView)]
#[tview(table = "tb_project")]
#[allow(dead_code)]
struct Playlist {
    id: i64,
    #[tview(many(through(
        table = "tb_project_label",
        fk = "project_id",
        to = "label_id",
        order_by = "position"
    )))]
    all: Vec<Entry>,
    #[tview(many(
        through(
            table = "tb_project_label",
            fk = "project_id",
            to = "label_id",
            order_by = "position DESC"
        ),
        order_by = "name DESC",
        limit = 2,
        filter = "{}.name <> 'label 1'"
    ))]
    last: Vec<Entry>,
    #[tview(first(through(
        table = "tb_project_label",
        fk = "project_id",
        to = "label_id",
        order_by = "position"
    )))]
    first: Option<Entry>,
    #[tview(values(
        table = "tb_label",
        through(
            table = "tb_project_label",
            fk = "project_id",
            to = "label_id",
            order_by = "position"
        ),
        column = "name"
    ))]
    names: Vec<String>,
}

#[derive(Embed)]
#[tview(table = "tb_label")]
#[allow(dead_code)]
struct Entry {
    id: i64,
    #[tview(through = "position")]
    place: i32,
    name: String,
}

/// Aggregates of rows that refer to rows that refer to the project.
#[derive(TView)]
#[tview(table = "tb_project")]
#[allow(dead_code)]
pub(super) struct Totals {
    id: i64,
    #[tview(sum(
        table = "tb_hours",
        fk = "ticket_id",
        expr = "{}.hours",
        through(table = "tb_ticket", fk = "project_id")
    ))]
    hours: Decimal,
    #[tview(count(
        table = "tb_hours",
        fk = "ticket_id",
        expr = "{}.person",
        distinct,
        through(table = "tb_ticket", fk = "project_id")
    ))]
    people: i64,
    #[tview(max(
        table = "tb_hours",
        fk = "ticket_id",
        expr = "{}.hours",
        filter = "{}.billed",
        through(
            table = "tb_ticket",
            fk = "project_id",
            key = "id",
            filter = "{}.status <> 'done'"
        )
    ))]
    longest: Option<Decimal>,
    #[tview(exists(
        table = "tb_hours",
        fk = "ticket_id",
        filter = "NOT {}.billed",
        through(table = "tb_ticket", fk = "project_id", filter = "{}.status = 'done'")
    ))]
    unbilled: bool,
}

/// Groups of the rows of a list: ordered by an aggregate, limited, in a part, and through a join table.
#[derive(TView)]
#[tview(table = "tb_project")]
#[allow(dead_code)]
struct Grouped {
    id: i64,
    #[tview(many(fk = "project_id", order_by = "tickets DESC, points"))]
    by_status: Vec<StatusCount>,
    #[tview(many(
        fk = "project_id",
        order_by = "status DESC",
        limit = 1,
        filter = "{}.status <> 'new'"
    ))]
    last_status: Vec<StatusCount>,
    #[tview(many(through(table = "tb_project_label", fk = "project_id", to = "label_id")))]
    labels: Vec<LabelCount>,
    #[tview(many(fk = "project_id"))]
    tickets: Vec<TicketHours>,
}

#[derive(Embed)]
#[tview(table = "tb_ticket", group_by = "status")]
#[allow(dead_code)]
struct StatusCount {
    status: String,
    #[tview(count)]
    tickets: i64,
    #[tview(count(filter = "{}.points > 1"))]
    large: i32,
    #[tview(sum(expr = "{}.points"))]
    points: Decimal,
    #[tview(max(expr = "{}.points"))]
    largest: Option<Decimal>,
}

#[derive(Embed)]
#[tview(table = "tb_label", group_by = "name")]
#[allow(dead_code)]
struct LabelCount {
    name: String,
    #[tview(count(expr = "{}.id", distinct))]
    labels: i64,
}

#[derive(Embed)]
#[tview(table = "tb_ticket")]
#[allow(dead_code)]
struct TicketHours {
    id: i64,
    #[tview(many(fk = "ticket_id", order_by = "hours DESC"))]
    people: Vec<PersonHours>,
}

#[derive(Embed)]
#[tview(table = "tb_hours", group_by = "billed, person")]
#[allow(dead_code)]
struct PersonHours {
    person: String,
    billed: bool,
    #[tview(sum(expr = "{}.hours"))]
    hours: Decimal,
}
