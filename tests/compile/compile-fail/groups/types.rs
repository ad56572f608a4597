//! Types of aggregates that do not hold their results.

use fraiseql_runtime::Embed;

#[derive(Embed)]
#[tview(table = "tb_ticket", group_by = "status")]
pub struct Group {
    pub status: String,
    #[tview(count)]
    pub count: Option<i64>,
    #[tview(max(expr = "{}.hours"))]
    pub max: i32,
    #[tview(sum(expr = "{}.hours"))]
    pub sum: String,
}

fn main() {}
