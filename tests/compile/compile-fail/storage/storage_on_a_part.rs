use fraiseql_runtime::Embed;

#[derive(Embed)]
#[tview(table = "tb_user", storage = "live")]
struct Author {
    id: i64,
}

#[derive(Embed)]
#[tview(table = "tb_user")]
struct Other {
    #[tview(storage = "live")]
    id: i64,
}

fn main() {}
