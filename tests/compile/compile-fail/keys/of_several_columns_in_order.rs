//! The same without mistakes in the texts, which hide those of the types.

use fraiseql_runtime::{Embed, TView};

#[derive(TView)]
pub struct Ticket {
    #[tview(key)]
    pub org_id: i64,
    #[tview(key)]
    pub no: i32,
    #[tview(one(fk = "org_id, author_id"))]
    pub author: Author,
    #[tview(one(fk = "project_id"))]
    pub project: Project,
    pub code: String,
    #[tview(one(fk = "org_id, code"))]
    pub other: Project,
    pub parent_id: Option<i64>,
    #[tview(one(fk = "org_id, parent_id"))]
    pub parent: Project,
    #[tview(many(fk = "ticket_no"))]
    pub notes: Vec<Note>,
    #[tview(one(fk = "org_id, editor_id", key = "org, id"))]
    pub editor: Option<Editor>,
}

#[derive(Embed)]
pub struct Author {
    pub id: i64,
}

#[derive(Embed)]
pub struct Project {
    #[tview(key)]
    pub org_id: i64,
    #[tview(key)]
    pub id: i64,
}

#[derive(Embed)]
pub struct Note {
    pub id: i64,
    pub ticket_no: i32,
}

#[derive(Embed)]
pub struct Editor {
    #[tview(column = "org_id")]
    pub org: i64,
    pub id: i64,
}

fn main() {}
