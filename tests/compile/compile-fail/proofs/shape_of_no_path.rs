use fraiseql_runtime::Embed;

#[derive(Embed)]
#[tview(shape_of = "User")]
pub struct Author {
    id: i64,
}

#[derive(Embed)]
#[tview(shape_of)]
pub struct Editor {
    id: i64,
}

#[derive(Embed)]
#[tview(shape_of(User))]
pub struct Reviewer {
    id: i64,
}

fn main() {}
