//! The oracle: hand-written queries for the expected content of every document.

use sqlx::PgConnection;

const PERSON: &str =
    "(SELECT jsonb_build_object('id', a.id, 'name', a.name) FROM tb_user a WHERE a.id = ";

/// A document that differs from the base tables.
#[derive(Debug)]
pub(crate) struct Drifted {
    /// `post`
    pub(crate) view: &'static str,
    pub(crate) key: i32,
    pub(crate) stored: Option<String>,
    pub(crate) expected: Option<String>,
}

fn users() -> String {
    "SELECT u.id, jsonb_build_object('id', u.id, 'jitter', true, 'name', u.name,
        'manager', (SELECT jsonb_build_object('id', m.id, 'name', m.name, 'manager',
                (SELECT jsonb_build_object('id', b.id, 'name', b.name)
                    FROM tb_user b WHERE b.id = m.manager_id))
            FROM tb_user m WHERE m.id = u.manager_id),
        'posts', coalesce((SELECT jsonb_agg(jsonb_build_object('id', p.id, 'title', p.title,
                'commentCount', (SELECT count(*) FROM tb_comment c WHERE c.post_id = p.id))
                ORDER BY p.id)
            FROM tb_post p WHERE p.author_id = u.id), '[]'),
        'postCount', (SELECT count(*) FROM tb_post p WHERE p.author_id = u.id),
        'commentCount', (SELECT count(*) FROM tb_comment c WHERE c.author_id = u.id),
        'reactionCount', (SELECT count(*) FROM tb_reaction r WHERE r.user_id = u.id)) AS data,
        u.name AS promoted
     FROM tb_user u"
        .to_owned()
}

fn posts() -> String {
    format!(
        "SELECT p.id, jsonb_build_object('id', p.id, 'jitter', true, 'title', p.title, 'published', p.published,
            'author', {PERSON} p.author_id),
            'comments', coalesce((SELECT jsonb_agg(jsonb_build_object('id', c.id,
                    'content', c.content, 'author', {PERSON} c.author_id)) ORDER BY c.id)
                FROM tb_comment c WHERE c.post_id = p.id), '[]'),
            'tags', coalesce((SELECT jsonb_agg(jsonb_build_object('id', t.id, 'name', t.name)
                    ORDER BY t.id)
                FROM tb_post_tag pt JOIN tb_tag t ON t.id = pt.tag_id
                WHERE pt.post_id = p.id), '[]'),
            'commentCount', (SELECT count(*) FROM tb_comment c WHERE c.post_id = p.id),
            'reactionCount', (SELECT count(*) FROM tb_reaction r WHERE r.post_id = p.id)) AS data,
            p.published::text AS promoted
         FROM tb_post p"
    )
}

fn comments() -> String {
    format!(
        "SELECT c.id, jsonb_build_object('id', c.id, 'jitter', true, 'content', c.content,
            'author', {PERSON} c.author_id),
            'post', (SELECT jsonb_build_object('id', p.id, 'title', p.title,
                    'author', {PERSON} p.author_id))
                FROM tb_post p WHERE p.id = c.post_id)) AS data,
            NULL AS promoted
         FROM tb_comment c"
    )
}

/// All documents that differ from the base tables.
pub(crate) async fn drifted(connection: &mut PgConnection) -> sqlx::Result<Vec<Drifted>> {
    let mut found = Vec::new();
    for (view, stored, expected) in [
        (
            "user",
            "SELECT id, data, name AS promoted FROM tv_user",
            users(),
        ),
        (
            "post",
            "SELECT id, data, published::text AS promoted FROM tv_post",
            posts(),
        ),
        (
            "comment",
            "SELECT id, data::jsonb AS data, NULL AS promoted FROM tv_comment",
            comments(),
        ),
    ] {
        found.extend(compare(&mut *connection, view, stored, &expected).await?);
    }
    Ok(found)
}

async fn compare(
    connection: &mut PgConnection,
    view: &'static str,
    stored: &str,
    expected: &str,
) -> sqlx::Result<Vec<Drifted>> {
    let sql = format!(
        "SELECT id, v.data::text || coalesce(' ' || v.promoted, ''),
                e.data::text || coalesce(' ' || e.promoted, '')
         FROM ({stored}) AS v FULL JOIN ({expected}) AS e USING (id)
         WHERE (v.data, v.promoted) IS DISTINCT FROM (e.data, e.promoted)
         ORDER BY id"
    );
    let rows: Vec<(i32, Option<String>, Option<String>)> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .fetch_all(connection)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(key, stored, expected)| Drifted {
            view,
            key,
            stored,
            expected,
        })
        .collect())
}
