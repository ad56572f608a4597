//! A constant has the visibility of its field.

mod posts {
    use fraiseql_runtime::TView;

    #[derive(TView)]
    pub struct Post {
        pub id: i64,
        #[tview(sort)]
        title: String,
    }
}

fn main() {
    let _ = posts::Post::ID.eq(7);
    let _ = posts::Post::TITLE.eq("Notes");
}
