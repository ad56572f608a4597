use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Post {
    pub id: i64,
    pub created_at: String,
    #[allow(non_snake_case)]
    pub createdAt: String,
}

fn main() {}
