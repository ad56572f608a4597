//! `global_id` on fields of other types.

use fraiseql_runtime::{GlobalId, TScalar, TView};

#[derive(TView)]
struct Text {
    #[tview(key)]
    no: i64,
    #[tview(global_id)]
    id: String,
}

#[derive(TView)]
struct Nullable {
    #[tview(key)]
    no: i64,
    #[tview(global_id)]
    id: Option<GlobalId>,
}

/// A newtype can be one.
#[derive(TScalar)]
struct Id(GlobalId);

#[derive(TView)]
struct Newtype {
    #[tview(key)]
    no: i64,
    #[tview(global_id)]
    id: Id,
}

fn main() {}
