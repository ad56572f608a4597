use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Post {
    pub id: i64,
    pub __typename: String,
    #[tview(json = "__schema")]
    pub schema: String,
}

fn main() {}
