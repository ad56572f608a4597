use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Post {
    pub id: f64,
}

fn main() {}
