//! The documents, by SQL written by hand.

use serde_json::Value;
use sqlx::{AssertSqlSafe, PgPool};

const PERSON: &str = "CASE WHEN p.no IS NOT NULL THEN jsonb_build_object('orgId', p.org_id, 'no', p.no, 'name', p.name) END";

/// Each view table, its key, and the documents that it should have.
fn views() -> [(&'static str, &'static str, String); 3] {
    let ticket = format!(
        "jsonb_build_object('no', t.no, 'title', t.title, 'assignee', (SELECT {PERSON}
            FROM tb_person AS p WHERE p.org_id = t.org_id AND p.no = t.assignee_no))"
    );
    [
        (
            "tv_ticket",
            "org_id, project_code, no",
            format!(
                "SELECT t.org_id, t.project_code, t.no, jsonb_build_object('orgId', t.org_id, 'projectCode', t.project_code,
                    'no', t.no, 'title', t.title,
                    'project', (SELECT jsonb_build_object('orgId', j.org_id, 'code', j.code, 'title', j.title, 'owner', {PERSON})
                        FROM tb_project AS j LEFT JOIN tb_person AS p ON p.org_id = j.org_id AND p.no = j.owner_no
                        WHERE j.org_id = t.org_id AND j.code = t.project_code),
                    'assignee', (SELECT {PERSON} FROM tb_person AS p WHERE p.org_id = t.org_id AND p.no = t.assignee_no),
                    'labels', (SELECT coalesce(jsonb_agg(jsonb_build_object('orgId', l.org_id, 'id', l.id, 'name', l.name,
                            'position', tl.position) ORDER BY tl.position DESC, l.org_id, l.id), '[]')
                        FROM tb_ticket_label AS tl JOIN tb_label AS l ON l.org_id = tl.org_id AND l.id = tl.label_id
                        WHERE tl.org_id = t.org_id AND tl.project_code = t.project_code AND tl.ticket_no = t.no),
                    'labelNames', (SELECT coalesce(jsonb_agg(l.name ORDER BY l.name), '[]')
                        FROM tb_ticket_label AS tl JOIN tb_label AS l ON l.org_id = tl.org_id AND l.id = tl.label_id
                        WHERE tl.org_id = t.org_id AND tl.project_code = t.project_code AND tl.ticket_no = t.no))
                 FROM tb_ticket AS t"
            ),
        ),
        (
            "tv_project",
            "code, org_id",
            format!(
                "SELECT j.code, j.org_id, jsonb_build_object('code', j.code, 'orgId', j.org_id, 'title', j.title,
                    'owner', (SELECT {PERSON} FROM tb_person AS p WHERE p.org_id = j.org_id AND p.no = j.owner_no),
                    'tickets', (SELECT coalesce(jsonb_agg(b.data ORDER BY b.no DESC), '[]') FROM (
                        SELECT t.no, {ticket} AS data FROM tb_ticket AS t
                        WHERE t.org_id = j.org_id AND t.project_code = j.code ORDER BY t.no DESC LIMIT 2) AS b),
                    'ticketCount', (SELECT count(*) FROM tb_ticket AS t WHERE t.org_id = j.org_id AND t.project_code = j.code),
                    'labelCount', (SELECT count(*) FROM tb_ticket_label AS tl WHERE tl.org_id = j.org_id AND tl.project_code = j.code))
                 FROM tb_project AS j"
            ),
        ),
        (
            "tv_person",
            "org_id, no",
            format!(
                "SELECT p.org_id, p.no, jsonb_build_object('orgId', p.org_id, 'no', p.no, 'name', p.name,
                    'longest', (SELECT {ticket} FROM tb_ticket AS t WHERE t.org_id = p.org_id AND t.assignee_no = p.no
                        ORDER BY t.hours DESC, t.no, t.title LIMIT 1),
                    'projects', (SELECT coalesce(jsonb_agg(j.title ORDER BY j.title), '[]') FROM tb_project AS j
                        WHERE j.org_id = p.org_id AND j.owner_no = p.no),
                    'isBusy', EXISTS (SELECT FROM tb_ticket AS t WHERE t.org_id = p.org_id AND t.assignee_no = p.no))
                 FROM tb_person AS p"
            ),
        ),
    ]
}

/// Asserts that the documents of all views are those that the SQL computes.
#[track_caller]
pub(super) fn assert_right(pool: &PgPool, when: &str) -> impl Future<Output = ()> {
    let (pool, when) = (pool.clone(), when.to_owned());
    async move {
        for (view, key, expected) in views() {
            let sql = format!(
                "WITH expected AS ({expected}),
                    stored AS (SELECT {key}, data::jsonb AS data FROM {view})
                 SELECT coalesce(jsonb_agg(jsonb_build_array(d.side, to_jsonb(d) - 'side')), '[]') FROM (
                    SELECT 'missing' AS side, x.* FROM (TABLE expected EXCEPT TABLE stored) AS x
                    UNION ALL SELECT 'stored' AS side, x.* FROM (TABLE stored EXCEPT TABLE expected) AS x) AS d"
            );
            let differences: Value = sqlx::query_scalar(AssertSqlSafe(sql))
                .fetch_one(&pool)
                .await
                .unwrap();
            assert_eq!(
                differences,
                Value::Array(Vec::new()),
                "{view} after {when}: {differences:#}"
            );
        }
    }
}
