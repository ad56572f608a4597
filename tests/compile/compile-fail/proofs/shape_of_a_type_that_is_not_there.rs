use fraiseql_runtime::Embed;

#[derive(Embed)]
#[tview(shape_of = Usre)]
pub struct Author {
    id: i64,
}

fn main() {}
