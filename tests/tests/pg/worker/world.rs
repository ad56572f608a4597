//! A blog whose base tables have triggers that write changes.

use fraiseql_runtime::{Embed, ReadModel, TView};
use fraiseql_tests::world::World;
use fraiseql_tests::world::numbered::{Author, Comment};
use fraiseql_tests::world::numbered_blog;
use sqlx::{AssertSqlSafe, PgPool};

#[derive(Debug, TView)]
pub(super) struct Post {
    pub(super) id: i64,
    pub(super) title: String,
    #[tview(one(fk = "author_id"))]
    pub(super) author: Author,
    #[tview(many(fk = "post_id"))]
    pub(super) comments: Vec<Comment>,
    #[tview(many(through(table = "tb_post_tag", fk = "post_id", to = "tag_id")))]
    pub(super) tags: Vec<Tag>,
}

#[derive(Debug, Embed)]
pub(super) struct Tag {
    pub(super) id: i32,
    pub(super) name: String,
}

#[derive(Debug, TView)]
pub(super) struct User {
    pub(super) id: i64,
    pub(super) name: String,
    #[tview(count(table = "tb_post", fk = "author_id"))]
    pub(super) posts: i64,
    #[tview(count(table = "tb_comment", fk = "author_id"))]
    pub(super) comments: i64,
}

pub(super) fn model() -> ReadModel {
    ReadModel::builder()
        .view::<Post>()
        .view::<User>()
        .build()
        .unwrap()
}

/// The tables with `posts` posts, and their documents.
pub(super) async fn world(posts: i64) -> (PgPool, ReadModel) {
    world_of(numbered_blog().rows(posts)).await
}

pub(super) async fn world_of(world: World) -> (PgPool, ReadModel) {
    let pool = world.pool().await;
    let model = model();
    install(&pool, &model).await;
    model.sync_all(&pool).await.unwrap();
    (pool, model)
}

pub(super) async fn install(pool: &PgPool, model: &ReadModel) {
    model.migrate(pool).await.unwrap();
    for sql in model.__changes_ddl() {
        if let Err(error) = sqlx::raw_sql(AssertSqlSafe(sql.clone()))
            .execute(pool)
            .await
        {
            panic!("{error}\n{sql}");
        }
    }
}

/// Leaves posts to the worker, in a transaction of its own.
pub(super) async fn leave(pool: &PgPool, model: &ReadModel, posts: &[i64]) {
    let mut tx = pool.begin().await.unwrap();
    model.defer(&mut tx).resync::<Post>(posts).await.unwrap();
    tx.commit().await.unwrap();
}

/// Triggers that write what the statements on the tables change, for the model `$model`.
const CAPTURE: &str = "
CREATE FUNCTION capture() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    list text := (SELECT string_agg(format('%L, coalesce(jsonb_agg(DISTINCT %I) FILTER (WHERE %2$I IS NOT NULL), ''[]'')', c, c), ', ')
        FROM unnest(TG_ARGV[1:]) AS c);
    rows int8 := 0;
    o jsonb;
    n jsonb;
BEGIN
    IF TG_OP IN ('UPDATE', 'DELETE') THEN
        EXECUTE format('SELECT count(*), jsonb_build_object(%s) FROM o', list) INTO rows, o;
    END IF;
    IF TG_OP IN ('INSERT', 'UPDATE') THEN
        EXECUTE format('SELECT count(*), jsonb_build_object(%s) FROM n', list) INTO rows, n;
    END IF;
    IF rows > 0 OR TG_OP = 'TRUNCATE' THEN
        INSERT INTO fraiseql_change (model, \"table\", operation, old, new)
        VALUES (TG_ARGV[0]::int8, format('\"%s\".\"%s\"', TG_TABLE_SCHEMA, TG_TABLE_NAME), TG_OP, o, n);
    END IF;
    RETURN NULL;
END $$";

/// Creates triggers for a read model.
pub(super) async fn capture(pool: &PgPool, model: &ReadModel) {
    let id = model.__model_id();
    let _ = sqlx::raw_sql(CAPTURE).execute(pool).await;
    for (table, columns) in [
        ("tb_user", "'id'"),
        ("tb_post", "'id', 'author_id'"),
        ("tb_comment", "'id', 'post_id', 'author_id'"),
        ("tb_tag", "'id'"),
        ("tb_post_tag", "'post_id', 'tag_id'"),
    ] {
        for (event, tables) in [
            ("INSERT", "REFERENCING NEW TABLE AS n"),
            ("UPDATE", "REFERENCING OLD TABLE AS o NEW TABLE AS n"),
            ("DELETE", "REFERENCING OLD TABLE AS o"),
            ("TRUNCATE", ""),
        ] {
            let sql = format!(
                "CREATE TRIGGER \"{event} {id}\" AFTER {event} ON {table} {tables} \
                 FOR EACH STATEMENT EXECUTE FUNCTION capture('{id}', {columns})"
            );
            sqlx::raw_sql(AssertSqlSafe(sql))
                .execute(pool)
                .await
                .unwrap();
        }
    }
}

/// The next release: its posts have another field, and a view table of their own.
mod next {
    use fraiseql_runtime::TView;
    use fraiseql_tests::world::numbered::Author;

    #[derive(Debug, TView)]
    #[tview(view = "tv_post_next", sync = "eventual")]
    pub(super) struct Post {
        pub(super) id: i64,
        pub(super) title: String,
        #[tview(one(fk = "author_id"))]
        pub(super) author: Author,
        #[tview(count(table = "tb_comment", fk = "post_id"))]
        pub(super) comments: i64,
    }
}

pub(super) fn next_model() -> ReadModel {
    ReadModel::builder()
        .view::<next::Post>()
        .view::<User>()
        .build()
        .unwrap()
}
