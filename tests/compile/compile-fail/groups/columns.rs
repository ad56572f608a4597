use fraiseql_runtime::{Embed, TView};

#[derive(Embed)]
#[tview(table = "tb_ticket", group_by = "status DESC")]
pub struct Ordered {
    pub status: String,
}

#[derive(Embed)]
#[tview(table = "tb_ticket", group_by = "status, status")]
pub struct Twice {
    pub status: String,
}

#[derive(Embed)]
#[tview(table = "tb_ticket", group_by = "")]
pub struct Empty {
    pub status: String,
}

#[derive(Embed)]
#[tview(table = "tb_ticket", group_by = "status")]
pub struct WithKey {
    #[tview(key)]
    pub status: String,
}

#[derive(Embed)]
#[tview(shape_of = Ticket, group_by = "status")]
pub struct OfShape {
    pub status: String,
}

#[derive(TView)]
#[tview(group_by = "status")]
pub struct Ticket {
    pub id: i64,
    pub status: String,
    #[tview(group_by = "status")]
    pub on_a_field: i64,
}

fn main() {}
