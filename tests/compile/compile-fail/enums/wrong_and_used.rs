use fraiseql_runtime::{TEnum, TView};

#[derive(TEnum)]
pub enum Status {
    Draft(i64),
}

#[derive(TView)]
pub struct Post {
    pub id: i64,
    #[tview(filter)]
    pub status: Option<Status>,
}

fn main() {}
