//! Tests that a check reports columns that the tables of other rows do not have, and types that do not
//! fit.

use fraiseql_runtime::{Embed, ReadModel, TView};
use fraiseql_tests::run;

use super::TABLES;

#[derive(TView)]
#[tview(table = "tb_project")]
#[allow(dead_code)]
struct Wrong {
    id: i64,
    #[tview(many(through(
        table = "tb_project_label",
        fk = "project_id",
        to = "label_id",
        order_by = "positon"
    )))]
    labels: Vec<Entry>,
    #[tview(values(table = "tb_ticket", fk = "project_id", column = "titel"))]
    titles: Vec<String>,
    #[tview(values(table = "tb_ticket", fk = "project_id", column = "points"))]
    points: Vec<Option<i32>>,
    #[tview(values(table = "tb_ticket", fk = "project_id", expr = "{}.points + 1"))]
    more_points: Vec<Option<String>>,
    #[tview(first(fk = "project_id", order_by = "point DESC"))]
    best: Option<Ticket>,
}

#[derive(Embed)]
#[tview(table = "tb_label")]
#[allow(dead_code)]
struct Entry {
    id: i64,
    #[tview(through = "place")]
    place: i32,
    #[tview(through = "position")]
    position: String,
}

#[derive(Embed)]
#[allow(dead_code)]
struct Ticket {
    id: i64,
}

#[tokio::test]
async fn columns_of_other_rows_are_compared() -> anyhow::Result<()> {
    let pool = fraiseql_tests::pool().await;
    run(&pool, TABLES).await;
    let model = ReadModel::builder().view::<Wrong>().build()?;
    model.migrate(&pool).await?;
    let report = model.check(&pool).await?.to_string();
    for expected in [
        "tb_project_label has no column `positon`; did you mean `position`?",
        "Wrong.labels.place: tb_project_label has no column `place`",
        "Wrong.labels.position: tb_project_label.position is integer, and the field is String",
        "Wrong.titles: tb_ticket has no column `titel`",
        "Wrong.points: tb_ticket.points is numeric, and the field is Option<i32>",
        "Wrong.more_points: the expr is numeric, and the field is Option<String>",
        "tb_ticket has no column `point`; did you mean `points`?",
    ] {
        assert!(report.contains(expected), "{expected}\n\n{report}");
    }
    Ok(())
}
