use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Post {
    pub id: i64,
    #[tview(values(table = "tb_tag", fk = "post_id", column = "name", expr = "lower({}.name)"))]
    pub two_values: Vec<String>,
    #[tview(values(table = "tb_tag", fk = "post_id", expr = "lower(name)"))]
    pub no_row: Vec<String>,
    #[tview(values(table = "tb_tag", fk = "post_id", column = "name", limit = 0))]
    pub no_rows: Vec<String>,
    #[tview(values(table = "tb_tag", fk = "post_id", column = "name", to = "tag_id"))]
    pub to: Vec<String>,
    #[tview(values(table = "tb_tag", fk = "post_id", column = "name", ordr_by = "name"))]
    pub misspelled: Vec<String>,
    #[tview(values(
        table = "tb_tag",
        fk = "post_id",
        through(table = "tb_post_tag", fk = "post_id", to = "tag_id"),
        column = "name"
    ))]
    pub linked_twice: Vec<String>,
    #[tview(sort, values(table = "tb_tag", fk = "post_id", column = "name"))]
    pub promoted: Vec<String>,
    #[tview(column = "names", values(table = "tb_tag", fk = "post_id", column = "name"))]
    pub names: Vec<String>,
}

fn main() {}
