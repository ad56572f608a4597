use fraiseql_runtime::{TEnum, TView};

#[derive(TEnum)]
pub enum Status {
    Draft,
}

#[derive(TView)]
pub struct Post {
    #[tview(key)]
    pub status: Status,
    pub title: String,
}

fn main() {}
