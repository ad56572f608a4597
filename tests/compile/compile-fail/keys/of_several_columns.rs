//! Foreign keys that have other columns than the keys that they refer to.

use fraiseql_runtime::{Embed, TView};

#[derive(TView)]
#[tview(index(on = "no", unique), partition(range = "1, 2"))]
pub struct Ticket {
    #[tview(key)]
    pub org_id: i64,
    #[tview(key)]
    pub no: i32,
    /// Two columns for one.
    #[tview(one(fk = "org_id, author_id"))]
    pub author: Author,
    /// One column for two.
    #[tview(one(fk = "project_id"))]
    pub project: Project,
    /// A text for a number.
    pub code: String,
    #[tview(one(fk = "org_id, code"))]
    pub other: Project,
    /// A column that may be null.
    pub parent_id: Option<i64>,
    #[tview(one(fk = "org_id, parent_id"))]
    pub parent: Project,
    /// One column for the two of this struct.
    #[tview(many(fk = "ticket_no"))]
    pub notes: Vec<Note>,
    #[tview(one(fk = "org_id, editor_id", key = "org, idd"))]
    pub editor: Option<Editor>,
    #[tview(many(through(table = "tb_link", fk = "org_id,, no", to = "\"a", key = "id, id")))]
    pub linked: Vec<Author>,
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
