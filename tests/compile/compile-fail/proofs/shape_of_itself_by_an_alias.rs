use fraiseql_runtime::Embed;

type Alias = Author;

#[derive(Embed)]
#[tview(shape_of = self::Alias)]
pub struct Author {
    id: i64,
}

fn main() {}
