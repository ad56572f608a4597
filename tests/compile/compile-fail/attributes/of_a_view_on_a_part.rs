use fraiseql_runtime::Embed;

#[derive(Embed)]
#[tview(
    table = "tb_user",
    view = "tv_user",
    entity = "user",
    plural = "users",
    data = "json"
)]
pub struct Author {
    pub id: i64,
}

fn main() {}
