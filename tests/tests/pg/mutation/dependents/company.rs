//! A company: keys of all types, tables in two schemas, and views of them.

use fraiseql_runtime::{Embed, TScalar, TView};
use uuid::Uuid;

/// The base tables.
pub(super) const TABLES: &str = r#"
CREATE SCHEMA "H R";
CREATE TABLE "H R"."tb Staff" (
    id int8 PRIMARY KEY, badge text UNIQUE, name text NOT NULL, manager_id int4, country text);
CREATE TABLE tb_country (code text PRIMARY KEY, name text NOT NULL, currency uuid);
CREATE TABLE tb_currency (id uuid PRIMARY KEY, sign text NOT NULL);
CREATE TABLE tb_project (id int2 PRIMARY KEY, title text NOT NULL, lead_badge text);
CREATE TABLE tb_task (id int8 PRIMARY KEY, project_id int8, assignee int4, hours int4 NOT NULL, done boolean NOT NULL);
CREATE TABLE tb_skill (id int4 PRIMARY KEY, name text NOT NULL);
CREATE TABLE tb_staff_skill (badge text, skill_id int8, level int4 NOT NULL, id int4 PRIMARY KEY);
"#;

#[derive(TScalar)]
pub(super) struct StaffId(pub(super) i64);

/// Documents of different depths, related by keys and by a column that is not a key.
#[derive(TView)]
#[tview(
    table = "H R.tb Staff",
    view = "H R.tv Staff",
    filter = "name <> 'hidden'"
)]
pub(super) struct Staff {
    id: StaffId,
    name: String,
    #[tview(one(fk = "manager_id"))]
    manager: Option<Manager>,
    #[tview(many(fk = "manager_id", order_by = "name DESC", limit = 2))]
    reports: Vec<Colleague>,
    #[tview(one(fk = "country"))]
    country: Option<Country>,
    #[tview(many(
        through(table = "tb_staff_skill", fk = "badge", to = "skill_id"),
        key = "badge"
    ))]
    skills: Vec<Skill>,
    #[tview(many(fk = "assignee", filter = "NOT done"))]
    open: Vec<Task>,
    #[tview(sum(table = "tb_task", fk = "assignee", expr = "{}.hours", filter = "done"))]
    hours: i64,
    #[tview(exists(table = "tb_project", fk = "lead_badge", key = "badge"))]
    leads: bool,
    #[tview(max(
        table = "tb_staff_skill",
        fk = "badge",
        key = "badge",
        expr = "{}.level"
    ))]
    level: Option<i32>,
}

#[derive(Embed)]
#[tview(table = "H R.tb Staff")]
pub(super) struct Manager {
    id: i64,
    name: String,
    #[tview(one(fk = "manager_id"))]
    manager: Option<Colleague>,
    #[tview(one(fk = "country"))]
    country: Option<Country>,
}

#[derive(Embed)]
#[tview(table = "H R.tb Staff")]
pub(super) struct Colleague {
    id: i64,
    name: String,
    #[tview(avg(table = "tb_task", fk = "assignee", expr = "{}.hours"))]
    mean: Option<f64>,
}

#[derive(Embed)]
pub(super) struct Country {
    #[tview(key)]
    code: String,
    name: String,
    #[tview(one(fk = "currency"))]
    currency: Option<Currency>,
}

#[derive(Embed)]
pub(super) struct Currency {
    id: Uuid,
    sign: String,
}

#[derive(Embed)]
pub(super) struct Skill {
    id: i32,
    name: String,
}

#[derive(Embed)]
pub(super) struct Task {
    id: i64,
    hours: i32,
    #[tview(one(fk = "project_id"))]
    project: Option<ProjectTitle>,
}

#[derive(Embed)]
#[tview(table = "tb_project")]
pub(super) struct ProjectTitle {
    id: i16,
    title: String,
    #[tview(one(fk = "lead_badge", key = "badge"))]
    lead: Option<Named>,
}

#[derive(Embed)]
#[tview(table = "H R.tb Staff")]
pub(super) struct Named {
    id: i64,
    name: String,
    #[tview(one(fk = "country"))]
    country: Option<Country>,
}

/// A small key, which larger foreign keys refer to.
#[derive(TView)]
#[tview(data = "json")]
pub(super) struct Project {
    id: i16,
    title: String,
    #[tview(one(fk = "lead_badge", key = "badge"))]
    lead: Option<Named>,
    #[tview(many(fk = "project_id", order_by = "hours", limit = 2))]
    tasks: Vec<ProjectTask>,
    #[tview(count(table = "tb_task", fk = "project_id", filter = "done"))]
    done: i64,
    #[tview(min(table = "tb_task", fk = "project_id", expr = "{}.hours"))]
    least: Option<i32>,
}

#[derive(Embed)]
#[tview(table = "tb_task")]
pub(super) struct ProjectTask {
    id: i64,
    #[tview(one(fk = "assignee"))]
    assignee: Option<Skilled>,
}

#[derive(Embed)]
#[tview(table = "H R.tb Staff")]
pub(super) struct Skilled {
    id: i64,
    name: String,
    #[tview(many(
        through(table = "tb_staff_skill", fk = "badge", to = "skill_id"),
        key = "badge"
    ))]
    skills: Vec<Skill>,
    #[tview(one(fk = "manager_id"))]
    manager: Option<Colleague>,
}

/// A text key, and a list that is related by another column.
#[derive(TView)]
#[tview(table = "tb_country", view = "tv_country")]
pub(super) struct CountryView {
    #[tview(key)]
    code: String,
    #[tview(one(fk = "currency"))]
    currency: Option<Currency>,
    #[tview(many(fk = "country"))]
    staff: Vec<Skilled>,
}
