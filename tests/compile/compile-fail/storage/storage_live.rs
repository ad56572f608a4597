use fraiseql_runtime::TView;

#[derive(TView)]
#[tview(
    storage = "live",
    view = "tv_posts",
    sync = "eventual",
    unlogged,
    fillfactor = 70,
    partition(hash = 4),
    index(on = "title"),
    refresh = "5m"
)]
struct Post {
    id: i64,
    #[tview(filter)]
    title: String,
    #[tview(unique)]
    slug: String,
}

fn main() {}
