//! Random changes, in each way to sync. After every commit the documents equal those of SQL written by hand.

use fraiseql_runtime::{Capture, ReadModel};
use sqlx::{AssertSqlSafe, PgPool, Row as _};
use uuid::Uuid;

use super::world::{CODES, label};
use super::{assert_right, synced};

/// How documents are synced.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// A mutation, with marks.
    Marks,
    /// A mutation, with marks before the changes.
    EarlyMarks,
    /// A mutation, by captured changes.
    Mutation,
    /// A worker, after the commit.
    Worker,
    /// The commit of any transaction.
    Commit,
}

/// A sequence of numbers that looks random, and is the same in each run (xorshift).
struct Chance(u64);

impl Chance {
    fn number(&mut self, max: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        1 + self.0 % max
    }

    fn code(&mut self) -> String {
        let place = usize::try_from(self.number(4) - 1).unwrap_or_default();
        CODES[place].replace('\'', "''")
    }
}

/// A statement, and the condition of the rows of its table that it changes.
#[derive(Debug)]
struct Change {
    table: &'static str,
    sql: String,
    /// The rows, before and after.
    rows: String,
}

fn change(chance: &mut Chance) -> Change {
    let (org, no, n) = (chance.number(2), chance.number(4), chance.number(4));
    let (code, other) = (chance.code(), chance.code());
    let tag = label(chance.number(3));
    let change = |table, rows: String, sql: String| Change { table, sql, rows };
    let person = format!("org_id = {org} AND no = {no}");
    let project = format!("org_id = {org} AND code = '{code}'");
    let ticket = format!("org_id = {org} AND project_code = '{code}' AND no = {n}");
    let link = format!(
        "org_id = {org} AND project_code = '{code}' AND ticket_no = {n} AND label_id = '{tag}'"
    );
    match chance.number(14) {
        1 => change("tb_person", person.clone(), format!("UPDATE tb_person SET name = 'person {n}' WHERE {person}")),
        2 => change("tb_person", person, format!("INSERT INTO tb_person VALUES ({org}, {no}, 'new {n}') ON CONFLICT DO NOTHING")),
        3 => change("tb_project", project.clone(), format!("UPDATE tb_project SET title = 'title {n}' WHERE {project}")),
        4 => change("tb_project", project.clone(), format!(
            "UPDATE tb_project AS j SET owner_no = (SELECT p.no FROM tb_person AS p WHERE p.org_id = j.org_id AND p.no = {no}) WHERE {project}")),
        5 => change("tb_project", project.clone(), format!("DELETE FROM tb_project WHERE {project}")),
        6 => change("tb_project", project, format!(
            "INSERT INTO tb_project VALUES ({org}, '{code}', 'again {n}') ON CONFLICT DO NOTHING")),
        7 | 8 => change("tb_ticket", ticket, format!(
            "INSERT INTO tb_ticket SELECT j.org_id, j.code, {n}, 'ticket {no}',
                (SELECT p.no FROM tb_person AS p WHERE p.org_id = j.org_id AND p.no = {no}), {no}
             FROM tb_project AS j WHERE j.org_id = {org} AND j.code = '{code}'
             ON CONFLICT (org_id, project_code, no) DO UPDATE SET title = EXCLUDED.title,
                assignee_no = EXCLUDED.assignee_no, hours = EXCLUDED.hours")),
        // To another project of the same organization: its key changes.
        9 => change("tb_ticket", format!("org_id = {org} AND no = {n} AND project_code IN ('{code}', '{other}')"), format!(
            "UPDATE tb_ticket SET project_code = '{other}' WHERE {ticket}
             AND EXISTS (SELECT FROM tb_project AS j WHERE j.org_id = {org} AND j.code = '{other}')
             AND NOT EXISTS (SELECT FROM tb_ticket AS t WHERE t.org_id = {org} AND t.project_code = '{other}' AND t.no = {n})
             AND NOT EXISTS (SELECT FROM tb_ticket_label AS l WHERE l.org_id = {org} AND l.project_code = '{code}' AND l.ticket_no = {n})")),
        10 => change("tb_ticket", ticket.clone(), format!("DELETE FROM tb_ticket WHERE {ticket}")),
        11 => change("tb_label", format!("org_id = {org} AND id = '{tag}'"),
            format!("UPDATE tb_label SET name = 'label {n}' WHERE org_id = {org} AND id = '{tag}'")),
        12 => change("tb_label", format!("org_id = {org} AND id = '{tag}'"), format!(
            "INSERT INTO tb_label VALUES ({org}, '{tag}', 'new {n}') ON CONFLICT DO NOTHING")),
        13 => change("tb_ticket_label", link.clone(), format!("DELETE FROM tb_ticket_label WHERE {link}")),
        _ => change("tb_ticket_label", link, format!(
            "INSERT INTO tb_ticket_label SELECT t.org_id, t.project_code, t.no, l.id, {no}
             FROM tb_ticket AS t, tb_label AS l
             WHERE t.org_id = {org} AND t.project_code = '{code}' AND t.no = {n} AND l.org_id = {org} AND l.id = '{tag}'
             ON CONFLICT (org_id, project_code, ticket_no, label_id) DO UPDATE SET position = EXCLUDED.position")),
    }
}

/// The keys of the rows of a change.
#[derive(Default)]
struct Rows {
    numbered: Vec<(i64, i32)>,
    coded: Vec<(i64, String)>,
    tickets: Vec<(i64, String, i16)>,
    labels: Vec<(i64, Uuid)>,
    links: Vec<(i64, String, i16, Uuid)>,
}

impl Rows {
    async fn read(&mut self, m: &mut sqlx::PgConnection, change: &Change) -> anyhow::Result<()> {
        let columns = columns(change.table);
        let sql = format!(
            "SELECT {columns} FROM {} WHERE {}",
            change.table, change.rows
        );
        for row in sqlx::query(AssertSqlSafe(sql)).fetch_all(m).await? {
            match change.table {
                "tb_person" => self.numbered.push((row.get(0), row.get(1))),
                "tb_project" => self.coded.push((row.get(0), row.get(1))),
                "tb_ticket" => self.tickets.push((row.get(0), row.get(1), row.get(2))),
                "tb_label" => self.labels.push((row.get(0), row.get(1))),
                _ => self
                    .links
                    .push((row.get(0), row.get(1), row.get(2), row.get(3))),
            }
        }
        Ok(())
    }
}

fn columns(table: &str) -> &'static str {
    match table {
        "tb_person" => "org_id, no",
        "tb_project" => "org_id, code",
        "tb_ticket" => "org_id, project_code, no",
        "tb_label" => "org_id, id",
        _ => "org_id, project_code, ticket_no, label_id",
    }
}

async fn commit(
    pool: &PgPool,
    model: &ReadModel,
    way: Way,
    changes: &[Change],
) -> anyhow::Result<()> {
    if matches!(way, Way::Worker | Way::Commit) {
        let mut tx = pool.begin().await?;
        for change in changes {
            sqlx::query(AssertSqlSafe(change.sql.clone()))
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
        return Ok(());
    }
    let mut m = model.mutation(pool).await?;
    for change in changes {
        let mut rows = Rows::default();
        rows.read(&mut m, change).await?;
        let (table, names) = (change.table, columns(change.table));
        if way == Way::EarlyMarks {
            match table {
                "tb_person" => m.changing_rows(table, names, &rows.numbered).await?,
                "tb_project" => m.changing_rows(table, names, &rows.coded).await?,
                "tb_ticket" => m.changing_rows(table, names, &rows.tickets).await?,
                "tb_label" => m.changing_rows(table, names, &rows.labels).await?,
                _ => m.changing_rows(table, names, &rows.links).await?,
            }
        }
        sqlx::query(AssertSqlSafe(change.sql.clone()))
            .execute(&mut *m)
            .await?;
        rows.read(&mut m, change).await?;
        if way != Way::Mutation {
            m.changed_rows("tb_person", columns("tb_person"), &rows.numbered)?;
            m.changed_rows("tb_project", columns("tb_project"), &rows.coded)?;
            m.changed_rows("tb_ticket", columns("tb_ticket"), &rows.tickets)?;
            m.changed_rows("tb_label", columns("tb_label"), &rows.labels)?;
            m.changed_rows("tb_ticket_label", columns("tb_ticket_label"), &rows.links)?;
        }
    }
    m.commit().await?;
    Ok(())
}

async fn random_changes(way: Way) -> anyhow::Result<()> {
    let capture = match way {
        Way::Marks | Way::EarlyMarks => None,
        Way::Mutation | Way::Worker => Some(Capture::Queue),
        Way::Commit => Some(Capture::AtCommit),
    };
    let (pool, model) = synced(capture).await?;
    let mut chance = Chance(0x5eed);
    for _ in 0..120 {
        let count = chance.number(3);
        let changes: Vec<Change> = (0..count).map(|_| change(&mut chance)).collect();
        commit(&pool, &model, way, &changes).await?;
        if way == Way::Worker {
            model.worker(&pool).drain().await?;
        }
        if capture.is_some() {
            let left = model.changes(&pool).await?;
            assert_eq!((left.pending, left.dead), (0, 0), "{left}");
        }
        assert_right(&pool, &format!("{changes:#?}")).await;
    }
    Ok(())
}

#[tokio::test]
async fn random_changes_with_marks() -> anyhow::Result<()> {
    random_changes(Way::Marks).await
}

#[tokio::test]
async fn random_changes_with_marks_before_them() -> anyhow::Result<()> {
    random_changes(Way::EarlyMarks).await
}

#[tokio::test]
async fn random_changes_that_a_mutation_captures() -> anyhow::Result<()> {
    random_changes(Way::Mutation).await
}

#[tokio::test]
async fn random_changes_that_a_worker_drains() -> anyhow::Result<()> {
    random_changes(Way::Worker).await
}

#[tokio::test]
async fn random_changes_that_are_synced_at_their_commit() -> anyhow::Result<()> {
    random_changes(Way::Commit).await
}
