use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Post {
    pub id: i64,
    #[tview(values(table = "tb_tag", fk = "post_id", column = "name", distinct, order_by = "place"))]
    pub by_another_column: Vec<String>,
    #[tview(values(table = "tb_tag", fk = "post_id", column = "name", distinct, order_by = "name, place"))]
    pub by_two_columns: Vec<String>,
    #[tview(values(table = "tb_tag", fk = "post_id", expr = "lower({}.name)", distinct, order_by = "name"))]
    pub of_an_expression: Vec<String>,
    #[tview(values(table = "tb_tag", fk = "post_id", expr = "DISTINCT {}.name"))]
    pub in_the_expression: Vec<String>,
}

fn main() {}
