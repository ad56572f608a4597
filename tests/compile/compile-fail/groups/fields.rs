//! Fields that are neither columns of the groups nor aggregates of their rows.

use fraiseql_runtime::Embed;

#[derive(Embed)]
#[tview(table = "tb_ticket", group_by = "status, kind")]
pub struct Group {
    pub status: String,
    pub title: String,
    #[tview(expr = "lower({}.status)")]
    pub expression: String,
    #[tview(one(fk = "project_id"))]
    pub project: Project,
    #[tview(through = "position")]
    pub position: i32,
    #[tview(exists)]
    pub bare: bool,
    #[tview(exists(filter = "{}.hours > 1"))]
    pub exists: bool,
    #[tview(count(table = "tb_ticket", fk = "project_id"))]
    pub count: i64,
    #[tview(sum)]
    pub bare_sum: i64,
    #[tview(sum(filter = "{}.hours > 1"))]
    pub sum: i64,
    #[tview(min(expr = "{}.hours", distinct))]
    pub min: Option<i32>,
}

#[derive(Embed)]
pub struct Project {
    pub id: i64,
}

fn main() {}
