use fraiseql_runtime::{Embed, TView};

/// A column of a key is never null.
#[derive(TView)]
pub struct Line {
    #[tview(key)]
    pub order_id: i64,
    #[tview(key)]
    pub product_id: Option<i64>,
}

/// And is no float.
#[derive(TView)]
pub struct Point {
    #[tview(key)]
    pub x: i64,
    #[tview(key)]
    pub y: f64,
}

/// Also of a part.
#[derive(Embed)]
pub struct PartLine {
    #[tview(key)]
    pub order_id: i64,
    #[tview(key)]
    pub product_id: Option<i64>,
}

/// A key is computed from none.
#[derive(TView)]
pub struct Sum {
    #[tview(key)]
    pub order_id: i64,
    #[tview(key, expr = "{}.a + {}.b")]
    pub sum: i64,
}

/// One column twice.
#[derive(TView)]
pub struct Twice {
    #[tview(key)]
    pub order_id: i64,
    #[tview(key, column = "order_id")]
    pub again: i64,
}

fn main() {}
