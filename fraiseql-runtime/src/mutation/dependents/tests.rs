//! Tests of private functions on a real server: locks, limits, plans and cascades.

use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, PgConnection, PgPool};

use super::cascade::{Search, image_columns, starts};
use super::find::{FoundDependents, find_dependents};
use super::foreign_keys::ForeignKeys;
use super::images::{Images, Wanted};
use super::index::DependencyIndex;
use crate as fraiseql_runtime;
use crate::view::ViewDef as _;
use crate::{Embed, Keys, ReadModel, TView};

type Tested = Result<(), Box<dyn std::error::Error>>;

const TABLES: &str = r#"
CREATE SCHEMA "Ext ra";
CREATE TABLE tb_user (id int8 PRIMARY KEY, name text NOT NULL);
CREATE TABLE tb_post (id int8 PRIMARY KEY, author_id int8 NOT NULL REFERENCES tb_user ON DELETE CASCADE);
CREATE INDEX ON tb_post (author_id);
CREATE TABLE "Ext ra"."tb ""comment" (id int8 PRIMARY KEY, post_id int8 NOT NULL REFERENCES tb_post ON DELETE CASCADE,
    author_id int8 REFERENCES tb_user ON DELETE SET NULL);
CREATE INDEX ON "Ext ra"."tb ""comment" (post_id);
CREATE INDEX ON "Ext ra"."tb ""comment" (author_id);
CREATE TABLE tb_tag (id int4 PRIMARY KEY);
CREATE TABLE tb_post_tag (post_id int8, tag_id int4, PRIMARY KEY (post_id, tag_id));
CREATE INDEX ON tb_post_tag (tag_id);
"#;

#[derive(TView)]
#[tview(crate = fraiseql_runtime)]
struct Post {
    id: i64,
    #[tview(one(fk = "author_id"))]
    author: User,
    #[tview(many(fk = "post_id", limit = 1))]
    comments: Vec<Comment>,
    #[tview(count(table = "Ext ra.tb \"comment", fk = "post_id"))]
    comment_count: i64,
    #[tview(many(through(table = "tb_post_tag", fk = "post_id", to = "tag_id")))]
    tags: Vec<Tag>,
}

#[derive(Embed)]
#[tview(crate = fraiseql_runtime, table = "tb_user")]
struct User {
    id: i64,
    name: String,
}

#[derive(Embed)]
#[tview(crate = fraiseql_runtime, table = "Ext ra.tb \"comment")]
struct Comment {
    id: i64,
    #[tview(one(fk = "author_id"))]
    author: Option<User>,
}

#[derive(Embed)]
#[tview(crate = fraiseql_runtime)]
struct Tag {
    id: i32,
}

async fn pool(tables: &'static str) -> PgPool {
    let server = dev_postgres::Server::shared().unwrap();
    let options = server.create_database().await.unwrap();
    let pool = PgPoolOptions::new().connect_with(options).await.unwrap();
    sqlx::raw_sql(tables).execute(&pool).await.unwrap();
    pool
}

fn model() -> ReadModel {
    ReadModel::builder().view::<Post>().build().unwrap()
}

async fn found(
    connection: &mut PgConnection,
    table: &str,
    column: &str,
    keys: &Keys,
    lock: bool,
    limit: usize,
) -> crate::Result<FoundDependents> {
    let model = model();
    let table = model.context.index.table_named(table)?;
    find_dependents(
        &model.context.index,
        connection,
        table,
        &column.into(),
        keys,
        lock,
        limit,
    )
    .await
}

#[tokio::test]
async fn paths_have_names_and_equal_paths_are_merged() -> Tested {
    assert_eq!(
        format!("{:?}", model().context.index),
        "[\"Ext ra.tb \\\"comment.post_id -> Post.comments, Post.comment_count\", \
         \"tb_post.id -> Post\", \
         \"tb_post_tag.post_id -> Post.tags\", \
         \"tb_tag.id -> Post.tags\", \
         \"tb_user.id -> Post.author\", \"tb_user.id -> Post.comments.author\"]"
    );
    Ok(())
}

#[tokio::test]
async fn documents_are_limited_for_each_path_and_reported_as_truncated() -> Tested {
    let pool = pool(TABLES).await;
    sqlx::raw_sql(
        "INSERT INTO tb_user VALUES (1, 'Ada');
         INSERT INTO tb_post SELECT n, 1 FROM generate_series(1, 5) AS n;
         INSERT INTO \"Ext ra\".\"tb \"\"comment\" VALUES (1, 5, 1)",
    )
    .execute(&pool)
    .await?;
    let mut connection = pool.acquire().await?;
    let rows = Keys::I64(vec![1, 2]);
    for (limit, all) in [(5, true), (4, false)] {
        let found = found(&mut connection, "tb_user", "id", &rows, false, limit).await?;
        assert_eq!(found.existing, Keys::I64(vec![1]));
        let [author, commenter] = &found.paths[..] else {
            panic!("{found:?}")
        };
        let expected = Keys::I64((1..=limit as i64).collect());
        assert_eq!(
            (author.depth, &author.keys, author.truncated),
            (1, &expected, !all)
        );
        let expected = Keys::I64(vec![5]);
        assert_eq!(
            (commenter.depth, &commenter.keys, commenter.truncated),
            (2, &expected, false)
        );
    }
    Ok(())
}

#[tokio::test]
async fn every_lookup_uses_an_index() -> Tested {
    let pool = pool(TABLES).await;
    sqlx::raw_sql(
        "INSERT INTO tb_user SELECT n, 'user' FROM generate_series(1, 10000) AS n;
         INSERT INTO tb_tag SELECT n FROM generate_series(1, 10000) AS n;
         INSERT INTO tb_post SELECT n, n FROM generate_series(1, 10000) AS n;
         INSERT INTO \"Ext ra\".\"tb \"\"comment\" SELECT n, n % 10000 + 1, n % 777 + 1 FROM generate_series(1, 20000) AS n;
         INSERT INTO tb_post_tag SELECT n, n % 5000 FROM generate_series(1, 20000) AS n;
         ANALYZE",
    )
    .execute(&pool)
    .await?;
    let model = model();
    let tables: Vec<_> = model.context.index.tables().collect();
    assert_eq!(tables.len(), 5);
    let mut connection = pool.acquire().await?;
    for mode in ["force_custom_plan", "force_generic_plan"] {
        sqlx::raw_sql(AssertSqlSafe(format!("SET plan_cache_mode = {mode}")))
            .execute(&mut *connection)
            .await?;
        for table in &tables {
            for lock in [false, true] {
                let column = if table.name == "tb_post_tag" {
                    "tag_id"
                } else {
                    "id"
                };
                let sql =
                    model
                        .context
                        .index
                        .find_statement(*table, &(*column).into(), "int8", lock);
                let explained = format!(
                    "PREPARE lookup AS {sql};
                     EXPLAIN (COSTS OFF) EXECUTE lookup ('{{7,8}}', 1000);
                     DEALLOCATE lookup"
                );
                use sqlx::Row as _;
                let plan: Vec<String> = sqlx::raw_sql(AssertSqlSafe(explained))
                    .fetch_all(&mut *connection)
                    .await?
                    .iter()
                    .map(|row| row.get(0))
                    .collect();
                let plan = plan.join("\n");
                // The catalogs may be small enough to be read as a whole.
                let scans_a_table = |line: &str| line.contains("Seq Scan on tb");
                assert!(!plan.lines().any(scans_a_table), "{sql}\n{plan}");
                assert_eq!(
                    lock && plan.contains("LockRows"),
                    lock && locks_rows(table.name),
                    "{plan}"
                );
            }
        }
    }
    Ok(())
}

/// Whether the paths from this table lead over rows of another one.
fn locks_rows(table: &str) -> bool {
    matches!(table, "tb_user" | "tb_tag")
}

async fn wait_for_a_lock(pool: &PgPool) {
    for _ in 0..2_000 {
        let waiting: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT FROM pg_stat_activity
             WHERE datname = current_database() AND wait_event_type = 'Lock')",
        )
        .fetch_one(pool)
        .await
        .unwrap();
        if waiting {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("no session waits for a lock");
}

#[tokio::test]
async fn a_row_that_is_moved_concurrently_leads_to_its_new_parent() -> Tested {
    let pool = pool(TABLES).await;
    sqlx::raw_sql(
        "INSERT INTO tb_user VALUES (1, 'Ada'), (2, 'Bob');
         INSERT INTO tb_post VALUES (7, 2), (8, 2);
         INSERT INTO \"Ext ra\".\"tb \"\"comment\" VALUES (1, 7, 1)",
    )
    .execute(&pool)
    .await?;
    let mut mover = pool.begin().await?;
    sqlx::raw_sql("UPDATE \"Ext ra\".\"tb \"\"comment\" SET post_id = 8")
        .execute(&mut *mover)
        .await?;
    let mut writer = pool.begin().await?;
    let rows = Keys::I64(vec![1]);
    let plain = found(&mut writer, "tb_user", "id", &rows, false, 10).await?;
    assert_eq!(
        plain.paths[0].keys,
        Keys::I64(vec![7]),
        "the committed parent"
    );
    let (found, moved) = tokio::join!(
        found(&mut writer, "tb_user", "id", &rows, true, 10),
        async {
            wait_for_a_lock(&pool).await;
            mover.commit().await
        }
    );
    moved?;
    assert_eq!(found?.paths[0].keys, Keys::I64(vec![8]));
    // And no other transaction can move it before this one ends.
    let locked = sqlx::raw_sql("SELECT FROM \"Ext ra\".\"tb \"\"comment\" FOR UPDATE NOWAIT")
        .execute(&pool)
        .await;
    assert!(locked.is_err());
    Ok(())
}

#[tokio::test]
async fn rows_that_are_deleted_with_a_row_are_found() -> Tested {
    let pool = pool(TABLES).await;
    sqlx::raw_sql(
        r#"INSERT INTO tb_user VALUES (1, 'Ada'), (2, 'Bob');
         INSERT INTO tb_post VALUES (7, 1), (8, 2);
         INSERT INTO "Ext ra"."tb ""comment" VALUES (1, 7, 2), (2, 8, 1);
         CREATE TABLE tb_node (id int4 PRIMARY KEY, up int4 REFERENCES tb_node ON DELETE CASCADE);
         INSERT INTO tb_node VALUES (1, 3), (2, 1), (3, 2), (4, NULL), (5, 4);
         CREATE TABLE tb_pair (a int4, b int4, UNIQUE (a, b), id int4 PRIMARY KEY REFERENCES tb_node ON DELETE SET NULL);
         INSERT INTO tb_pair VALUES (1, 2, 1), (1, 3, 3);
         CREATE TABLE tb_of_pair (a int4, b int4, CONSTRAINT pair_fk FOREIGN KEY (a, b) REFERENCES tb_pair (a, b) ON DELETE CASCADE);
         CREATE TABLE tb_kept (post_id int8 REFERENCES tb_post)"#,
    )
    .execute(&pool)
    .await?;
    // What refers to a row of a table, by the tables whose rows are found and the columns' values.
    let found = async |name: &'static str, key: &str, limit| {
        let table = crate::schema::Table {
            schema: "public",
            name,
        };
        let mut connection = pool.acquire().await?;
        let connection: &mut PgConnection = &mut connection;
        // Every table has documents, so that no row is left out.
        let index = DependencyIndex::new(&[Node::handle(), Post::handle(), Pair::handle()]);
        let foreign_keys = ForeignKeys::load(connection, [table]).await?;
        let columns = image_columns(&index, table, &foreign_keys, &key.into());
        let wanted = Wanted {
            table: table.into(),
            only: false,
            columns: &columns,
            lock: false,
            limit: 100,
        };
        let rows = Keys::I64(vec![1]);
        let images = wanted
            .by_columns(&index, connection, &key.into(), &rows)
            .await?;
        let search = Search {
            index: &index,
            foreign_keys: &foreign_keys,
            limit,
            lock: true,
        };
        let starts = starts(&foreign_keys, table, &images, &Images::default(), false);
        let found = search.run(connection, None, starts).await?;
        assert!(found.not_followed.is_empty(), "{found:?}");
        let origins = found
            .origins
            .iter()
            .map(|(table, of)| format!("{}.{} {}", table.name, of.columns, of.values.join(", ")));
        Ok::<_, Box<dyn std::error::Error>>((origins.collect::<Vec<_>>(), found.truncated))
    };
    let (origins, truncated) = found("tb_user", "id", 100).await?;
    assert_eq!(
        origins,
        [
            "tb_post.id 7",
            "tb \"comment.post_id 8",
            "tb \"comment.post_id 7",
        ]
    );
    assert!(!truncated);
    // A circle of references ends.
    let (mut origins, truncated) = found("tb_node", "id", 100).await?;
    origins.sort();
    assert_eq!(
        origins,
        [
            "tb_node.id 1",
            "tb_node.id 2",
            "tb_node.id 3",
            "tb_pair.id 1",
            "tb_pair.id 3",
        ]
    );
    assert!(!truncated, "each value is counted once");
    assert!(found("tb_node", "id", 2).await?.1);
    let (origins, _) = found("tb_pair", "id", 100).await?;
    assert_eq!(
        origins, [""; 0],
        "the rows that refer to the pair are in no document"
    );
    Ok(())
}

#[derive(TView)]
#[tview(crate = fraiseql_runtime)]
struct Node {
    id: i32,
}

#[derive(TView)]
#[tview(crate = fraiseql_runtime)]
struct Pair {
    id: i32,
}
