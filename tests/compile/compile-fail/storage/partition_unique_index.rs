use fraiseql_runtime::TView;

#[derive(TView)]
#[tview(partition(hash = 8), index(on = "author_id DESC", unique, name = "a"), index(expr = "abs(author_id)", unique))]
pub struct Post {
    pub id: i64,
    pub title: String,
    #[tview(filter)]
    pub author_id: i64,
}

fn main() {}
