//! `global_id` where it cannot be.

use fraiseql_runtime::{Embed, GlobalId, TView};

#[derive(TView)]
struct Unmarked {
    #[tview(key)]
    no: i64,
    id: GlobalId,
}

#[derive(TView)]
struct Twice {
    #[tview(key)]
    no: i64,
    #[tview(global_id)]
    id: GlobalId,
    #[tview(global_id)]
    node_id: GlobalId,
}

#[derive(TView)]
struct Promoted {
    #[tview(key)]
    no: i64,
    #[tview(global_id, filter)]
    id: GlobalId,
}

#[derive(TView)]
struct Key {
    #[tview(key, global_id)]
    id: GlobalId,
}

#[derive(TView)]
struct Column {
    no: i64,
    #[tview(global_id, column = "id")]
    id: GlobalId,
}

#[derive(Embed)]
#[tview(table = "tb_user")]
struct Part {
    #[tview(key)]
    no: i64,
    #[tview(global_id)]
    id: GlobalId,
}

fn main() {}
