use fraiseql_runtime::TView;

#[derive(TView)]
#[tview(
    storage = "matview",
    sync = "eventual",
    unlogged,
    fillfactor = 70,
    partition(hash = 4),
    index(on = "updated_at")
)]
struct Post {
    id: i64,
    #[tview(filter)]
    title: String,
}

fn main() {}
