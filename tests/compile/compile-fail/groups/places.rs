//! A group of rows, where a row is needed; orders that groups do not have.

use fraiseql_runtime::{Embed, TView};

#[derive(TView)]
pub struct Project {
    pub id: i64,
    #[tview(one(fk = "ticket_id"))]
    pub one: Group,
    #[tview(first(fk = "project_id", order_by = "status"))]
    pub first: Option<Group>,
    #[tview(first(
        through(table = "tb_project_ticket", fk = "project_id", to = "ticket_id"),
        order_by = "status"
    ))]
    pub first_through: Option<Group>,
    #[tview(many(through(
        table = "tb_project_ticket",
        fk = "project_id",
        to = "ticket_id",
        order_by = "position"
    )))]
    pub through: Vec<Group>,
    #[tview(many(fk = "project_id", order_by = "title"))]
    pub order: Vec<Group>,
    #[tview(many(fk = "project_id", order_by = "tickets DESC, status"))]
    pub right: Vec<Group>,
}

#[derive(Embed)]
#[tview(table = "tb_ticket", group_by = "status")]
pub struct Group {
    pub status: String,
    #[tview(count)]
    pub tickets: i64,
}

#[derive(Embed)]
#[tview(shape_of = Group)]
pub struct Part {
    pub status: String,
}

fn main() {}
