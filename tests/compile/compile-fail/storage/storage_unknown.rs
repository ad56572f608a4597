use fraiseql_runtime::TView;

#[derive(TView)]
#[tview(storage = "cache")]
struct Post {
    id: i64,
}

#[derive(TView)]
#[tview(storage = live)]
struct Draft {
    id: i64,
}

fn main() {}
