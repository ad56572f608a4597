use fraiseql_runtime::{TEnum, TView};

#[derive(TEnum)]
pub enum Status {
    Draft,
}

#[derive(TView)]
pub struct Post {
    pub id: i64,
    #[tview(sum(table = "tb_comment", fk = "post_id", expr = "{}.status"))]
    pub status: Status,
}

fn main() {}
