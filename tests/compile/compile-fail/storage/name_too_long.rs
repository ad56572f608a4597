use fraiseql_runtime::TView;

#[derive(TView)]
#[tview(index(on = "id", name = "an_index_whose_name_says_everything_that_anyone_could_want_to_know"))]
pub struct Post {
    pub id: i64,
    pub title: String,
    #[tview(filter)]
    pub author_id: i64,
}

fn main() {}
