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

pub mod news {
    #[derive(fraiseql_runtime::TView)]
    #[tview(table = "news.tb_post", view = "news.tv_post")]
    pub struct Post {
        pub id: i64,
    }
}

#[derive(TUnion)]
pub enum Found {
    Post(Post),
    User(User),
    News(news::Post),
}

fn main() {}
