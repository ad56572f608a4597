//! Tests that a mutation follows every action of a foreign key that PostgreSQL executes: rows that
//! are deleted or changed together with marked ones are found, whichever key did it.

mod chains;
mod deletes;
mod schema;
mod updates;

use fraiseql_runtime::{Embed, Mutation, MutationReport, ReadModel, TView, assert_synced};
use sqlx::{AssertSqlSafe, PgPool};

/// A user, with what is made of rows that refer to it.
#[derive(TView)]
#[allow(dead_code)]
struct User {
    id: i64,
    name: String,
    #[tview(count(table = "tb_post", fk = "author_id"))]
    post_count: i64,
}

#[derive(TView)]
#[allow(dead_code)]
struct Post {
    id: i64,
    author_id: Option<i64>,
    #[tview(one(fk = "author_id"))]
    author: Option<Author>,
    #[tview(count(table = "tb_comment", fk = "post_id"))]
    comment_count: i64,
}

#[derive(Embed)]
#[tview(table = "tb_user")]
#[allow(dead_code)]
struct Author {
    id: i64,
    name: String,
}

fn blog() -> ReadModel {
    ReadModel::builder()
        .view::<User>()
        .view::<Post>()
        .build()
        .unwrap()
}

/// Tables of the blog, with the given definition of `tb_post.author_id`.
fn tables(author_id: &str) -> String {
    format!(
        "CREATE TABLE tb_user (id int8 PRIMARY KEY, name text NOT NULL);
         CREATE TABLE tb_post (id int8 PRIMARY KEY, author_id int8 {author_id});
         CREATE TABLE tb_comment (id int8 PRIMARY KEY,
             post_id int8 REFERENCES tb_post ON DELETE CASCADE);
         CREATE INDEX ON tb_post (author_id); CREATE INDEX ON tb_comment (post_id);
         INSERT INTO tb_user VALUES (1, 'Ada'), (2, 'Bob'), (3, 'Eve');
         INSERT INTO tb_post VALUES (10, 1), (20, 2), (21, 2), (30, 3);
         INSERT INTO tb_comment VALUES (100, 10), (200, 20), (210, 21)"
    )
}

/// A database with tables and rows, and with every document of the model.
async fn filled(tables: &str, model: &ReadModel) -> PgPool {
    let pool = fraiseql_tests::pool().await;
    script(&pool, tables).await;
    model.migrate(&pool).await.unwrap();
    // Missing documents are synced, which fills the view tables.
    model.verify(&pool).repair().await.unwrap();
    assert_synced(model, &pool).await;
    pool
}

async fn script(pool: &PgPool, sql: &str) {
    if let Err(error) = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(pool)
        .await
    {
        panic!("{error}\n{sql}");
    }
}

/// Runs a statement and its marks in a strict mutation, and asserts that every document is correct.
async fn correct_after(
    model: &ReadModel,
    pool: &PgPool,
    sql: &'static str,
    mark: impl FnOnce(&mut Mutation),
) -> MutationReport {
    let mut m = model.mutation(pool).await.unwrap();
    m.strict();
    sqlx::raw_sql(sql).execute(&mut *m).await.unwrap();
    mark(&mut m);
    let report = m.commit().await.unwrap();
    assert!(report.not_followed.is_empty(), "{report}");
    assert_synced(model, pool).await;
    report
}
