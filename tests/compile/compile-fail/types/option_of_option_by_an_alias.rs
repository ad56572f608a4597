use fraiseql_runtime::TView;

type Maybe = Option<String>;

#[derive(TView)]
pub struct Post {
    pub id: i64,
    pub title: Option<Maybe>,
}

fn main() {}
