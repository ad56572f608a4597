use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Post {
    pub id: bool,
}

fn main() {}
