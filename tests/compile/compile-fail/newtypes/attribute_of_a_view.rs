use fraiseql_runtime::TScalar;

#[derive(TScalar)]
#[tview(table = "tb_post")]
pub struct PostId(i64);

fn main() {}
