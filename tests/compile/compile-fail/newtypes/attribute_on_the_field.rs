use fraiseql_runtime::TScalar;

#[derive(TScalar)]
pub struct PostId(#[tview(filter)] i64);

fn main() {}
