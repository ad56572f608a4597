use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Post {
    #[tview(key = "id")]
    pub id: i64,
    #[tview(filter = "published")]
    pub title: String,
    #[tview(sort(desc))]
    pub created_at: chrono::DateTime<chrono::Utc>,
    #[tview(skip = true)]
    pub cached: bool,
}

fn main() {}
