use fraiseql_runtime::{TScalar, TView};

#[derive(TScalar)]
#[tview(type_name = "Attributes")]
pub struct Attributes(serde_json::Value);

#[derive(TView)]
pub struct Post {
    pub id: i64,
    #[tview(filter)]
    pub attributes: Attributes,
}

fn main() {}
