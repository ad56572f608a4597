use fraiseql_runtime::Embed;

#[derive(Embed)]
#[tview(table = "tb_user")]
pub struct Author {
    pub id: i64,
    #[tview(unique)]
    pub username: String,
    #[tview(filter, sort)]
    pub created_at: chrono::DateTime<chrono::Utc>,
}

fn main() {}
