//! Tables whose keys have several columns, of all types that a key can have, and views of them.

use fraiseql_runtime::model::ReadModelBuilder;
use fraiseql_runtime::{Embed, ReadModel, TView};
use uuid::Uuid;

pub(super) const TABLES: &str = r#"
CREATE TABLE tb_person (org_id int8, no int4, name text NOT NULL, memo text, PRIMARY KEY (org_id, no));
CREATE TABLE tb_project (org_id int8, code text, title text NOT NULL, owner_no int4, memo text,
    PRIMARY KEY (org_id, code),
    FOREIGN KEY (org_id, owner_no) REFERENCES tb_person ON UPDATE CASCADE);
CREATE INDEX ON tb_project (org_id, owner_no);
CREATE TABLE tb_ticket (org_id int8, project_code text, no int2, title text NOT NULL, assignee_no int4,
    hours numeric(6, 2) NOT NULL DEFAULT 0, memo text,
    PRIMARY KEY (org_id, project_code, no),
    FOREIGN KEY (org_id, project_code) REFERENCES tb_project ON DELETE CASCADE,
    FOREIGN KEY (org_id, assignee_no) REFERENCES tb_person);
CREATE INDEX ON tb_ticket (org_id, assignee_no);
CREATE TABLE tb_label (org_id int8, id uuid, name text NOT NULL, memo text, PRIMARY KEY (id, org_id));
CREATE TABLE tb_ticket_label (org_id int8, project_code text, ticket_no int2, label_id uuid, position int4 NOT NULL, memo text,
    PRIMARY KEY (org_id, project_code, ticket_no, label_id),
    FOREIGN KEY (org_id, project_code, ticket_no) REFERENCES tb_ticket ON DELETE CASCADE,
    FOREIGN KEY (label_id, org_id) REFERENCES tb_label ON DELETE CASCADE);
CREATE INDEX ON tb_ticket_label (label_id, org_id);
"#;

/// Codes that are no trouble only if they are passed on as they are.
pub(super) const CODES: [&str; 4] = ["plain", "it's \"[1, 2]\"", "a,b\\{c}", "größe 7"];

pub(super) fn label(n: u64) -> Uuid {
    Uuid::from_u128(u128::from(n) << 64 | 0xabc)
}

/// Rows of two organizations that have the same numbers and codes.
pub(super) fn rows() -> String {
    let codes: Vec<String> = CODES
        .iter()
        .enumerate()
        .map(|(index, code)| format!("({}, '{}')", index + 1, code.replace('\'', "''")))
        .collect();
    let codes = format!("(VALUES {}) AS c (n, code)", codes.join(", "));
    let labels: Vec<String> = (1..=3)
        .map(|n| format!("({n}, '{}'::uuid)", label(n)))
        .collect();
    let labels = format!("(VALUES {}) AS l (n, id)", labels.join(", "));
    format!(
        "INSERT INTO tb_person SELECT o, n, 'person ' || o || n FROM generate_series(1, 2) AS o, generate_series(1, 4) AS n;
         INSERT INTO tb_project SELECT o, c.code, 'project ' || o || c.n, nullif(c.n, 4) FROM generate_series(1, 2) AS o, {codes};
         INSERT INTO tb_ticket SELECT o, c.code, s.no, 'ticket ' || s.no, nullif((c.n + s.no) % 5, 0), s.no + 0.5
         FROM generate_series(1, 2) AS o, {codes}, generate_series(1, 3) AS s (no) WHERE c.n < 4;
         INSERT INTO tb_label SELECT o, l.id, 'label ' || o || l.n FROM generate_series(1, 2) AS o, {labels};
         INSERT INTO tb_ticket_label SELECT t.org_id, t.project_code, t.no, l.id, l.n
         FROM tb_ticket AS t, {labels} WHERE (t.no + l.n) % 2 = 0;"
    )
}

#[derive(TView)]
#[allow(dead_code)]
pub(super) struct Ticket {
    #[tview(key)]
    pub(super) org_id: i64,
    #[tview(key)]
    pub(super) project_code: String,
    #[tview(key)]
    pub(super) no: i16,
    #[tview(sort)]
    pub(super) title: String,
    #[tview(one(fk = "org_id, project_code"))]
    pub(super) project: TicketProject,
    #[tview(one(fk = "org_id, assignee_no"))]
    pub(super) assignee: Option<Person>,
    #[tview(many(through(
        table = "tb_ticket_label",
        fk = "org_id, project_code, ticket_no",
        to = "org_id, label_id",
        order_by = "position DESC"
    )))]
    pub(super) labels: Vec<Label>,
    #[tview(values(
        table = "tb_label",
        column = "name",
        order_by = "name",
        key = "org_id, project_code, no",
        through(
            table = "tb_ticket_label",
            fk = "org_id, project_code, ticket_no",
            to = "label_id, org_id",
            key = "id, org_id"
        )
    ))]
    pub(super) label_names: Vec<String>,
}

#[derive(Embed)]
#[tview(table = "tb_project")]
#[allow(dead_code)]
pub(super) struct TicketProject {
    #[tview(key)]
    org_id: i64,
    #[tview(key)]
    code: String,
    title: String,
    #[tview(one(fk = "org_id, owner_no"))]
    owner: Option<Person>,
}

#[derive(Embed)]
#[tview(table = "tb_person")]
#[allow(dead_code)]
pub(super) struct Person {
    #[tview(key)]
    org_id: i64,
    #[tview(key)]
    no: i32,
    name: String,
}

#[derive(Embed)]
#[tview(table = "tb_label")]
#[allow(dead_code)]
pub(super) struct Label {
    #[tview(key)]
    org_id: i64,
    #[tview(key)]
    id: Uuid,
    name: String,
    #[tview(through = "position")]
    position: i32,
}

#[derive(TView)]
#[tview(table = "tb_project", data = "json")]
#[allow(dead_code)]
pub(super) struct Project {
    #[tview(key)]
    pub(super) code: String,
    #[tview(key)]
    pub(super) org_id: i64,
    #[tview(filter, sort)]
    pub(super) title: String,
    #[tview(one(fk = "org_id, owner_no"))]
    pub(super) owner: Option<Person>,
    #[tview(many(fk = "project_code, org_id", order_by = "no DESC", limit = 2))]
    pub(super) tickets: Vec<ProjectTicket>,
    #[tview(count(table = "tb_ticket", fk = "project_code, org_id"))]
    pub(super) ticket_count: i64,
    #[tview(count(
        table = "tb_ticket_label",
        fk = "org_id, project_code, ticket_no",
        through(
            table = "tb_ticket",
            fk = "project_code, org_id",
            key = "org_id, project_code, no"
        )
    ))]
    pub(super) label_count: i64,
}

#[derive(Embed)]
#[tview(table = "tb_ticket")]
#[allow(dead_code)]
pub(super) struct ProjectTicket {
    no: i16,
    title: String,
    #[tview(one(fk = "org_id, assignee_no"))]
    assignee: Option<Person>,
}

#[derive(TView)]
#[tview(table = "tb_person", view = "tv_person", entity = "worker")]
#[allow(dead_code)]
pub(super) struct Worker {
    #[tview(key)]
    pub(super) org_id: i64,
    #[tview(key)]
    pub(super) no: i32,
    pub(super) name: String,
    #[tview(first(fk = "org_id, assignee_no", order_by = "hours DESC"))]
    pub(super) longest: Option<ProjectTicket>,
    #[tview(values(
        table = "tb_project",
        fk = "org_id, owner_no",
        column = "title",
        order_by = "title"
    ))]
    pub(super) projects: Vec<String>,
    #[tview(exists(table = "tb_ticket", fk = "org_id, assignee_no"))]
    pub(super) is_busy: bool,
}

/// The read model of the views.
pub(super) fn model() -> ReadModelBuilder {
    ReadModel::builder()
        .view::<Ticket>()
        .view::<Project>()
        .view::<Worker>()
}
