use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Post {
    pub id: i64,
    #[tview(avg(table = "tb_rating", fk = "post_id", expr = "{}.stars"))]
    pub rating: Option<String>,
}

fn main() {}
