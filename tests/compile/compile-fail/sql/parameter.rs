use fraiseql_runtime::TView;

#[derive(TView)]
#[tview(filter = "tenant_id = $1")]
pub struct Post {
    pub id: i64,
}

fn main() {}
