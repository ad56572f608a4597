use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Post {
    pub id: i64,
    #[tview(json = "created-at")]
    pub created_at: String,
    #[tview(json = "2nd")]
    pub second: String,
    #[tview(json = "")]
    pub third: String,
    pub größe: i32,
}

fn main() {}
