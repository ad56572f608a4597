//! Tests of one read model over the tables of several schemas.

mod names;
mod ops;
mod random;
mod reads;
mod world;

use fraiseql_runtime::{Capture, ReadModel};
use sqlx::{AssertSqlSafe, PgPool};

use self::world::{SCHEMAS, customers, model, quoted};

/// A database with both customers, whose documents are right, and the read model of each.
async fn synced(capture: Option<Capture>) -> anyhow::Result<(PgPool, [ReadModel; 2])> {
    let pool = fraiseql_tests::pool().await;
    customers(&pool).await;
    let mut builder = model();
    if let Some(capture) = capture {
        builder = builder.capture(capture);
    }
    let model = builder.build()?;
    model.migrate_schemas(&pool, SCHEMAS).await.into_result()?;
    let models = [model.in_schema(SCHEMAS[0])?, model.in_schema(SCHEMAS[1])?];
    for model in &models {
        model.sync_all(&pool).await?;
    }
    assert_right(&pool, &models, "the first sync").await?;
    Ok((pool, models))
}

/// The documents of both customers equal those of SQL written by hand, and `public` has no tables.
async fn assert_right(pool: &PgPool, models: &[ReadModel; 2], after: &str) -> anyhow::Result<()> {
    for (schema, model) in SCHEMAS.into_iter().zip(models) {
        let verified = model.verify(pool).await?;
        assert!(verified.is_clean(), "{schema}, after {after}: {verified:?}");
        for (view, expected) in [("tv_post", POSTS), ("tv_user", USERS)] {
            let sql = format!(
                "SELECT coalesce(string_agg(coalesce(v.id, e.id)::text, ', '), '')
                 FROM {0}.{view} AS v FULL JOIN ({1}) AS e USING (id) WHERE v.data::jsonb IS DISTINCT FROM e.data",
                quoted(schema),
                expected.replace("$", &quoted(schema)),
            );
            let wrong: String = sqlx::query_scalar(AssertSqlSafe(sql))
                .fetch_one(pool)
                .await?;
            assert_eq!(wrong, "", "{schema}, after {after}");
        }
    }
    let public: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace",
    )
    .fetch_one(pool)
    .await?;
    assert_eq!(public, 0, "a table in public, after {after}");
    Ok(())
}

/// The posts of the schema `$`, by hand.
const POSTS: &str = "
SELECT p.id, jsonb_build_object(
    'id', p.id, 'title', p.title, 'state', upper(p.state::text), 'shouted', $.shout(p.title),
    'author', (SELECT jsonb_build_object('id', u.id, 'name', u.name, 'country',
        (SELECT jsonb_build_object('code', c.code, 'name', c.name) FROM shared.tb_country AS c WHERE c.code = u.country))
        FROM $.tb_user AS u WHERE u.id = p.author_id),
    'comments', coalesce((SELECT jsonb_agg(jsonb_build_object('id', m.id, 'content', m.content, 'author',
        (SELECT jsonb_build_object('id', u.id, 'name', u.name, 'country',
            (SELECT jsonb_build_object('code', c.code, 'name', c.name) FROM shared.tb_country AS c WHERE c.code = u.country))
            FROM $.tb_user AS u WHERE u.id = m.author_id)) ORDER BY m.id DESC)
        FROM (SELECT * FROM $.tb_comment AS m WHERE m.post_id = p.id AND m.content <> 'hidden' ORDER BY m.id DESC LIMIT 3) AS m), '[]'),
    'tags', coalesce((SELECT jsonb_agg(jsonb_build_object('id', t.id, 'name', t.name) ORDER BY t.id)
        FROM $.tb_post_tag AS l JOIN $.tb_tag AS t ON t.id = l.tag_id WHERE l.post_id = p.id), '[]'),
    'commentCount', (SELECT count(*) FROM $.tb_comment AS m WHERE m.post_id = p.id)) AS data
FROM $.tb_post AS p";

/// The users of the schema `$`, by hand.
const USERS: &str = "
SELECT u.id, jsonb_build_object(
    'id', u.id, 'name', u.name,
    'country', (SELECT jsonb_build_object('code', c.code, 'name', c.name) FROM shared.tb_country AS c WHERE c.code = u.country),
    'comments', (SELECT count(*) FROM $.tb_post AS p JOIN $.tb_comment AS m ON m.post_id = p.id WHERE p.author_id = u.id),
    'titles', coalesce((SELECT jsonb_agg(p.title ORDER BY p.id) FROM $.tb_post AS p WHERE p.author_id = u.id), '[]'),
    'latest', (SELECT jsonb_build_object('id', p.id, 'title', p.title) FROM $.tb_post AS p WHERE p.author_id = u.id ORDER BY p.id DESC LIMIT 1)) AS data
FROM $.tb_user AS u";
