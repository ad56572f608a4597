use fraiseql_runtime::TScalar;

#[derive(TScalar)]
#[tview(type_name = "post-id")]
pub struct PostId(i64);

fn main() {}
