use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Post {
    pub id: i64,
    #[tview(values())]
    pub nothing: Vec<String>,
    #[tview(values(table = "tb_tag", fk = "post_id"))]
    pub no_value: Vec<String>,
    #[tview(values(table = "tb_tag", column = "name"))]
    pub no_link: Vec<String>,
    #[tview(values)]
    pub no_arguments: Vec<String>,
}

fn main() {}
