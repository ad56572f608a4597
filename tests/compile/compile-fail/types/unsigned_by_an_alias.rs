use fraiseql_runtime::TView;

type Count = u64;

#[derive(TView)]
pub struct Post {
    pub id: i64,
    pub views: Vec<Count>,
}

fn main() {}
