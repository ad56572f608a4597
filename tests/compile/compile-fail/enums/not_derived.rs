use fraiseql_runtime::TView;

pub enum Status {
    Draft,
}

#[derive(TView)]
pub struct Post {
    pub id: i64,
    pub status: Status,
}

fn main() {}
