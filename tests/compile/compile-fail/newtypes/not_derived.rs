use fraiseql_runtime::TView;

pub struct Slug(String);

#[derive(TView)]
pub struct Post {
    pub id: i64,
    pub slug: Slug,
}

fn main() {}
