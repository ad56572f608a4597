// The user's own `Serialize` and `Deserialize` do not collide with those of the stubs.
use fraiseql_runtime::TView;
use serde::{Deserialize, Serialize};

#[derive(TView, Serialize, Deserialize)]
#[tview(serde = false, tabel = "tb_post")]
pub struct Post {
    pub id: i64,
}

fn main() {}
