use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Post {
    #[tview(key, json = "the slug")]
    pub slug: String,
    #[tview(skip)]
    pub cached: bool,
}

fn main() {}
