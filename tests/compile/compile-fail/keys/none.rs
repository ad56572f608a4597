use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Post {
    pub title: String,
}

fn main() {}
