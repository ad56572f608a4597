use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Post;

fn main() {}
