use fraiseql_runtime::TView;

#[derive(TView)]
#[tview(table = "tb_a_table_whose_name_says_everything_that_anyone_could_want_to_know")]
pub struct Post {
    pub id: i64,
    #[tview(column = "a_column_whose_name_says_everything_that_anyone_could_want_to_know")]
    pub title: String,
    #[tview(json = "aKeyWhoseNameSaysEverythingThatAnyoneCouldWantToKnowAboutTheValue")]
    pub body: String,
    pub a_field_whose_name_says_everything_that_anyone_could_want_to_know: String,
}

fn main() {}
