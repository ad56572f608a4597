use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Post {
    pub id: u64,
}

fn main() {}
