//! Tests of fields that are made of other rows: their types in the schema, and their values.

use async_graphql::{EmptyMutation, EmptySubscription, Schema};
use fraiseql_graphql::Prepared;
use fraiseql_runtime::{Embed, ReadModel, TView};
use fraiseql_tests::{pool, run};
use serde_json::json;

#[derive(TView)]
#[allow(dead_code)]
struct Project {
    id: i32,
    #[tview(first(fk = "project_id", order_by = "points DESC NULLS LAST"))]
    best: Option<Ticket>,
    #[tview(values(table = "tb_ticket", fk = "project_id", column = "title"))]
    titles: Vec<String>,
    #[tview(values(table = "tb_ticket", fk = "project_id", column = "points", distinct))]
    points: Vec<Option<i32>>,
    #[tview(count(table = "tb_ticket", fk = "project_id", expr = "{}.points", distinct))]
    different_points: i32,
    #[tview(many(fk = "project_id", order_by = "tickets DESC"))]
    by_points: Vec<PointsCount>,
}

#[derive(Embed)]
#[tview(table = "tb_ticket", group_by = "points")]
#[allow(dead_code)]
struct PointsCount {
    points: Option<i32>,
    #[tview(count)]
    tickets: i32,
}

#[derive(Embed)]
#[allow(dead_code)]
struct Ticket {
    id: i32,
    title: String,
}

const TABLES: &str = "
CREATE TABLE tb_project (id int4 PRIMARY KEY);
CREATE TABLE tb_ticket (id int4 PRIMARY KEY, project_id int4 NOT NULL REFERENCES tb_project,
    title text NOT NULL, points int4);
CREATE INDEX ON tb_ticket (project_id);
INSERT INTO tb_project VALUES (1), (2);
INSERT INTO tb_ticket VALUES (1, 1, 'b', 3), (2, 1, 'a', 5), (3, 1, 'c', NULL), (4, 1, 'd', 3);
";

#[tokio::test]
async fn fields_of_other_rows_have_their_types_and_values() -> anyhow::Result<()> {
    let pool = pool().await;
    run(&pool, TABLES).await;
    let model = ReadModel::builder().view::<Project>().build()?;
    model.migrate(&pool).await?;
    model.sync_all(&pool).await?;
    let query = fraiseql_graphql::Query::<(Project,)>::new(pool.clone());
    let schema = Schema::build(query, EmptyMutation, EmptySubscription)
        .extension(Prepared::default())
        .finish();
    let sdl = schema.sdl();
    for field in [
        "best: Ticket\n",
        "titles: [String!]!\n",
        "points: [Int]!\n",
        "differentPoints: Int!\n",
        "byPoints: [PointsCount!]!\n",
        "tickets: Int!\n",
    ] {
        assert!(sdl.contains(&format!("\t{field}")), "{field} in\n{sdl}");
    }
    let query =
        "{ projects { best { title } titles points differentPoints byPoints { points tickets } } }";
    let answer = schema.execute(query).await;
    assert_eq!(answer.errors, []);
    assert_eq!(
        serde_json::to_value(&answer.data)?,
        json!({"projects": [
            {"best": {"title": "a"}, "titles": ["a", "b", "c", "d"], "points": [3, 5, null], "differentPoints": 2,
             "byPoints": [{"points": 3, "tickets": 2}, {"points": 5, "tickets": 1}, {"points": null, "tickets": 1}]},
            {"best": null, "titles": [], "points": [], "differentPoints": 0, "byPoints": []},
        ]})
    );
    Ok(())
}
