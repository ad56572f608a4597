use fraiseql_runtime::Embed;

#[derive(Embed)]
pub struct Category {
    pub id: i64,
    #[tview(many(fk = "parent_id"))]
    pub children: Vec<Category>,
}

fn main() {}
