use fraiseql_runtime::TScalar;

#[derive(TScalar)]
#[tview(typename = "PostId")]
pub struct PostId(i64);

fn main() {}
