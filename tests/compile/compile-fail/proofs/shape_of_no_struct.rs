use fraiseql_runtime::Embed;

#[derive(Embed)]
#[tview(shape_of = model::Plain)]
pub struct Author {
    id: i64,
    name: String,
}

mod model {
    pub struct Plain {
        pub id: i64,
    }
}

fn main() {}
