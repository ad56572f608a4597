//! Sample rows for an empty database, with tokens that everybody knows.

use anyhow::Result;

use crate::app::App;

/// Three organizations, each with two agents, three labels, five customers, and tickets of the same numbers.
const ROWS: &str = "
INSERT INTO tb_organization (name) VALUES ('Acme'), ('Globex'), ('Initech');
INSERT INTO tb_agent (org_id, name, role)
    SELECT o.id, a.name || ' of ' || o.name, a.role::agent_role
    FROM tb_organization AS o, (VALUES ('Ada', 'admin'), ('Bob', 'agent')) AS a (name, role)
    ORDER BY o.id, a.name;
INSERT INTO tb_session (token_hash, org_id, agent_id, expires_at)
    SELECT sha256(convert_to(lower(replace(name, ' of ', '-')), 'UTF8')), org_id, id, 'infinity'
    FROM tb_agent;
INSERT INTO tb_label (org_id, name)
    SELECT o.id, l.name || ' of ' || o.name
    FROM tb_organization AS o, unnest('{hardware,software,urgent}'::text[]) AS l (name)
    ORDER BY o.id, l.name;
INSERT INTO tb_customer (org_id, name, email)
    SELECT o.id, 'Customer ' || i || ' of ' || o.name, 'customer' || i || '@' || o.name || '.example'
    FROM tb_organization AS o, generate_series(1, 5) AS i ORDER BY o.id, i;
INSERT INTO tb_ticket (org_id, requester_id, assignee_id, subject, status, due_at)
    SELECT o.id, 5 * o.id - i % 5, CASE i % 2 WHEN 0 THEN 2 * o.id END, 'Printer ' || i || ' of ' || o.name,
           CASE i % 3 WHEN 0 THEN 'closed' ELSE 'open' END::ticket_status, now() + (i - 5) * interval '1 day'
    FROM tb_organization AS o, generate_series(1, 30) AS i ORDER BY o.id, i;
INSERT INTO tb_message (org_id, ticket_number, agent_id, body)
    SELECT t.org_id, t.number, CASE i WHEN 2 THEN t.assignee_id END, 'Message ' || i || ' on ' || t.subject
    FROM tb_ticket AS t, generate_series(1, 2) AS i ORDER BY t.org_id, t.number, i;
INSERT INTO tb_ticket_label (org_id, ticket_number, label_id)
    SELECT t.org_id, t.number, l.id FROM tb_ticket AS t JOIN tb_label AS l USING (org_id)
    WHERE (t.number + l.id) % 3 = 0";

/// Fills an empty database.
pub async fn fill(app: &App) -> Result<()> {
    let is_filled = "SELECT EXISTS (SELECT FROM tb_organization)";
    if !sqlx::query_scalar(is_filled).fetch_one(&app.pool).await? {
        let mut m = app.model.mutation(&app.pool).await?;
        sqlx::raw_sql(ROWS).execute(&mut *m).await?;
        m.commit().await?;
    }
    Ok(())
}
