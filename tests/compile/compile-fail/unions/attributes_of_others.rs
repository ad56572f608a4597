use fraiseql_runtime::{TUnion, TView};

#[derive(TView)]
pub struct Post {
    pub id: i64,
    pub title: String,
}

#[derive(TView)]
pub struct User {
    pub id: i64,
    pub name: String,
}

#[derive(TUnion)]
#[tview(serde = false, rename_all = "snake_case", table = "tb_found", one(fk = "id"))]
pub enum Found {
    #[tview(interface)]
    Post(#[tview(json = "post")] Post),
    #[tview(type_name = "Person")]
    User(User),
}

fn main() {}
