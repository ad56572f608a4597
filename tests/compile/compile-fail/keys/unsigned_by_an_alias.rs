use fraiseql_runtime::TView;

type Id = u64;

#[derive(TView)]
pub struct Post {
    pub id: Id,
}

fn main() {}
