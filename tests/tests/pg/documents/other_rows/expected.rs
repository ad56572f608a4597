//! The documents, by SQL written by hand.

use serde_json::Value;
use sqlx::{AssertSqlSafe, PgPool};

/// Each view table, and the documents that it should have.
const VIEWS: [(&str, &str); 7] = [
    (
        "tv_distinct",
        "SELECT p.id, jsonb_build_object('id', p.id, 'statuses', count(DISTINCT t.status),
            'sum', coalesce(sum(DISTINCT t.points), 0)::text, 'avg', avg(DISTINCT t.points)::text,
            'all', coalesce(sum(t.points), 0)::text)
         FROM tb_project AS p LEFT JOIN tb_ticket AS t ON t.project_id = p.id
         GROUP BY p.id",
    ),
    (
        "tv_ticket",
        "SELECT t.id, jsonb_build_object('id', t.id, 'people',
            (SELECT count(DISTINCT h.person) FROM tb_hours AS h WHERE h.ticket_id = t.id),
            'project', jsonb_build_object('name', p.name, 'labels', (
                SELECT coalesce(jsonb_agg(jsonb_build_object('id', l.id, 'name', l.name)
                    ORDER BY l.name, l.id), '[]')
                FROM tb_project_label AS pl JOIN tb_label AS l ON l.id = pl.label_id
                WHERE pl.project_id = p.id)))
         FROM tb_ticket AS t JOIN tb_project AS p ON p.id = t.project_id",
    ),
    (
        "tv_first",
        "WITH ticket AS (
            SELECT t.*, jsonb_build_object('id', t.id, 'points', t.points::text, 'longest', (
                SELECT jsonb_build_object('id', h.id, 'person', h.person, 'hours', h.hours::text)
                FROM tb_hours AS h WHERE h.ticket_id = t.id ORDER BY h.hours DESC, h.id LIMIT 1)) AS data
            FROM tb_ticket AS t)
         SELECT p.id, jsonb_build_object('id', p.id, 'best', (
                SELECT t.data FROM ticket AS t WHERE t.project_id = p.id AND t.status <> 'new'
                ORDER BY t.points DESC NULLS LAST, t.id LIMIT 1),
            'label', (SELECT jsonb_build_object('id', l.id, 'name', l.name)
                FROM tb_project_label AS pl JOIN tb_label AS l ON l.id = pl.label_id
                WHERE pl.project_id = p.id ORDER BY l.name DESC, l.id LIMIT 1),
            'tickets', (SELECT coalesce(jsonb_agg(t.data ORDER BY t.id), '[]')
                FROM ticket AS t WHERE t.project_id = p.id))
         FROM tb_project AS p",
    ),
    (
        "tv_lists",
        "SELECT p.id, jsonb_build_object('id', p.id,
            'points', (SELECT coalesce(jsonb_agg(t.points::text ORDER BY t.points), '[]')
                FROM tb_ticket AS t WHERE t.project_id = p.id),
            'statuses', (SELECT coalesce(jsonb_agg(DISTINCT upper(t.status)), '[]')
                FROM tb_ticket AS t WHERE t.project_id = p.id AND t.points IS NOT NULL),
            'best', (SELECT coalesce(jsonb_agg(b.id ORDER BY b.place), '[]') FROM (
                SELECT t.id, row_number() OVER (ORDER BY t.points DESC NULLS LAST, t.status, t.id) AS place
                FROM tb_ticket AS t WHERE t.project_id = p.id) AS b WHERE b.place <= 2),
            'labels', (SELECT coalesce(jsonb_agg(l.name ORDER BY l.name), '[]')
                FROM tb_project_label AS pl JOIN tb_label AS l ON l.id = pl.label_id
                WHERE pl.project_id = p.id),
            'lastLabels', (SELECT coalesce(jsonb_agg(d.name ORDER BY d.name DESC), '[]') FROM (
                SELECT DISTINCT l.name
                FROM tb_project_label AS pl JOIN tb_label AS l ON l.id = pl.label_id
                WHERE pl.project_id = p.id ORDER BY l.name DESC LIMIT 2) AS d),
            'tickets', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', t.id, 'people', (
                    SELECT coalesce(jsonb_agg(DISTINCT h.person), '[]')
                    FROM tb_hours AS h WHERE h.ticket_id = t.id)) ORDER BY t.id), '[]')
                FROM tb_ticket AS t WHERE t.project_id = p.id))
         FROM tb_project AS p",
    ),
    (
        "tv_playlist",
        "WITH entry AS (
            SELECT pl.project_id, pl.position, l.id, l.name,
                jsonb_build_object('id', l.id, 'place', pl.position, 'name', l.name) AS data
            FROM tb_project_label AS pl JOIN tb_label AS l ON l.id = pl.label_id)
         SELECT p.id, jsonb_build_object('id', p.id,
            'all', (SELECT coalesce(jsonb_agg(e.data ORDER BY e.position, e.id), '[]')
                FROM entry AS e WHERE e.project_id = p.id),
            'last', (SELECT coalesce(jsonb_agg(e.data ORDER BY e.place), '[]') FROM (
                SELECT e.data, row_number() OVER (ORDER BY e.position DESC, e.name DESC, e.id) AS place
                FROM entry AS e WHERE e.project_id = p.id AND e.name <> 'label 1') AS e WHERE e.place <= 2),
            'first', (SELECT e.data FROM entry AS e WHERE e.project_id = p.id
                ORDER BY e.position, e.id LIMIT 1),
            'names', (SELECT coalesce(jsonb_agg(e.name ORDER BY e.position, e.name), '[]')
                FROM entry AS e WHERE e.project_id = p.id))
         FROM tb_project AS p",
    ),
    (
        "tv_totals",
        "SELECT p.id, jsonb_build_object('id', p.id,
            'hours', coalesce(sum(h.hours), 0)::text, 'people', count(DISTINCT h.person),
            'longest', (max(h.hours) FILTER (WHERE h.billed AND t.status <> 'done'))::text,
            'unbilled', coalesce(bool_or(NOT h.billed AND t.status = 'done'), false))
         FROM tb_project AS p LEFT JOIN tb_ticket AS t ON t.project_id = p.id
         LEFT JOIN tb_hours AS h ON h.ticket_id = t.id
         GROUP BY p.id",
    ),
    (
        "tv_grouped",
        "WITH by_status AS (
            SELECT t.project_id, t.status, count(*) AS tickets, coalesce(sum(t.points), 0) AS points,
                jsonb_build_object('status', t.status, 'tickets', count(*),
                    'large', count(*) FILTER (WHERE t.points > 1),
                    'points', coalesce(sum(t.points), 0)::text, 'largest', max(t.points)::text) AS data
            FROM tb_ticket AS t GROUP BY t.project_id, t.status),
         hours AS (
            SELECT h.ticket_id, h.billed, h.person, sum(h.hours) AS hours, jsonb_build_object('person', h.person,
                'billed', h.billed, 'hours', sum(h.hours)::text) AS data
            FROM tb_hours AS h GROUP BY h.ticket_id, h.billed, h.person)
         SELECT p.id, jsonb_build_object('id', p.id,
            'byStatus', (SELECT coalesce(jsonb_agg(s.data ORDER BY s.tickets DESC, s.points, s.status), '[]')
                FROM by_status AS s WHERE s.project_id = p.id),
            'lastStatus', (SELECT coalesce(jsonb_agg(s.data), '[]') FROM (
                SELECT s.data FROM by_status AS s WHERE s.project_id = p.id AND s.status <> 'new'
                ORDER BY s.status DESC LIMIT 1) AS s),
            'labels', (SELECT coalesce(jsonb_agg(jsonb_build_object('name', l.name, 'labels', l.labels)
                ORDER BY l.name), '[]') FROM (
                SELECT l.name, count(DISTINCT l.id) AS labels
                FROM tb_project_label AS pl JOIN tb_label AS l ON l.id = pl.label_id
                WHERE pl.project_id = p.id GROUP BY l.name) AS l),
            'tickets', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', t.id, 'people', (
                    SELECT coalesce(jsonb_agg(h.data ORDER BY h.hours DESC, h.billed, h.person), '[]')
                    FROM hours AS h WHERE h.ticket_id = t.id)) ORDER BY t.id), '[]')
                FROM tb_ticket AS t WHERE t.project_id = p.id))
         FROM tb_project AS p",
    ),
];

/// Compares all documents.
pub(super) async fn assert_right(pool: &PgPool, after: &str) {
    for (view, sql) in VIEWS {
        let different: Vec<(Option<Value>, Option<Value>)> =
            sqlx::query_as(AssertSqlSafe(format!(
            "SELECT v.data, e.data FROM {view} AS v FULL JOIN ({sql}) AS e (id, data) USING (id)
             WHERE v.data IS DISTINCT FROM e.data ORDER BY id"
        )))
            .fetch_all(pool)
            .await
            .unwrap();
        if let Some((stored, expected)) = different.first() {
            panic!("{view}: stored {stored:#?}\nexpected {expected:#?}\nafter {after}");
        }
    }
}
