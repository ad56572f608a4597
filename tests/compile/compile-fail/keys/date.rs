use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Day {
    #[tview(key)]
    pub date: chrono::NaiveDate,
    pub visits: i64,
}

fn main() {}
