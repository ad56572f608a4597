use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Cell {
    #[tview(key)]
    pub a: i64,
    #[tview(key)]
    pub b: i64,
    #[tview(key)]
    pub c: i64,
    #[tview(key)]
    pub d: i64,
    #[tview(key)]
    pub e: i64,
    #[tview(key)]
    pub f: i64,
    #[tview(key)]
    pub g: i64,
}

fn main() {}
