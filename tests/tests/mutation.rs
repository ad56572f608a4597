//! Mutations: whatever a transaction changes, every document that depends on it is right when
//! it commits.

use std::time::Duration;

use fraiseql_runtime::{
    Beyond, Changes, Embed, Error, Isolation, Limits, Mutation, ReadModel, TView,
};
use fraiseql_tests::run;
use serde_json::Value;
use sqlx::postgres::PgPoolOptions;
use sqlx::{PgPool, Row};

const TABLES: &str = "
    CREATE TABLE tb_user (id int8 PRIMARY KEY, name text NOT NULL);
    CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL,
        author_id int8 NOT NULL REFERENCES tb_user ON DELETE CASCADE);
    CREATE INDEX ON tb_post (author_id);
    CREATE TABLE tb_comment (id int8 PRIMARY KEY, content text NOT NULL,
        post_id int8 NOT NULL REFERENCES tb_post ON DELETE CASCADE,
        author_id int8 REFERENCES tb_user ON DELETE SET NULL);
    CREATE INDEX ON tb_comment (post_id);
    CREATE INDEX ON tb_comment (author_id);
    CREATE TABLE tb_tag (id int4 PRIMARY KEY, name text NOT NULL);
    CREATE TABLE tb_post_tag (post_id int8 REFERENCES tb_post ON DELETE CASCADE,
        tag_id int4 REFERENCES tb_tag ON DELETE CASCADE, PRIMARY KEY (post_id, tag_id));
    CREATE INDEX ON tb_post_tag (tag_id);
    INSERT INTO tb_user VALUES (1, 'Ada'), (2, 'Bob'), (3, 'Eve');
    INSERT INTO tb_post VALUES (1, 'One', 1), (2, 'Two', 1), (3, 'Three', 2);
    INSERT INTO tb_comment VALUES (1, 'First!', 1, 2), (2, 'Second', 1, 3), (3, 'Third', 2, 2);
    INSERT INTO tb_tag VALUES (1, 'sql'), (2, 'rust');
    INSERT INTO tb_post_tag VALUES (1, 1), (2, 1)";

#[derive(TView)]
#[allow(dead_code)]
struct User {
    id: i64,
    name: String,
    #[tview(many(fk = "author_id"))]
    posts: Vec<UserPost>,
    #[tview(count(table = "tb_comment", fk = "author_id"))]
    comment_count: i64,
}

#[derive(Embed)]
#[tview(table = "tb_post")]
#[allow(dead_code)]
struct UserPost {
    id: i64,
    title: String,
    #[tview(count(table = "tb_comment", fk = "post_id"))]
    comment_count: i64,
}

#[derive(TView)]
#[allow(dead_code)]
struct Post {
    id: i64,
    title: String,
    #[tview(one(fk = "author_id"))]
    author: Author,
    #[tview(many(fk = "post_id"))]
    comments: Vec<PostComment>,
    #[tview(many(through(table = "tb_post_tag", fk = "post_id", to = "tag_id")))]
    tags: Vec<Tag>,
}

#[derive(Embed)]
#[tview(table = "tb_user")]
#[allow(dead_code)]
struct Author {
    id: i64,
    name: String,
}

#[derive(Embed)]
#[tview(table = "tb_comment")]
#[allow(dead_code)]
struct PostComment {
    id: i64,
    content: String,
    #[tview(one(fk = "author_id"))]
    author: Option<Author>,
}

#[derive(Embed)]
#[allow(dead_code)]
struct Tag {
    id: i32,
    name: String,
}

#[derive(TView)]
#[allow(dead_code)]
struct Comment {
    id: i64,
    content: String,
    #[tview(one(fk = "post_id"))]
    post: CommentPost,
}

#[derive(Embed)]
#[tview(table = "tb_post")]
#[allow(dead_code)]
struct CommentPost {
    id: i64,
    title: String,
}

fn model() -> ReadModel {
    ReadModel::builder()
        .view::<Comment>()
        .view::<Post>()
        .view::<User>()
        .build()
        .unwrap()
}

async fn filled(pool: &PgPool) -> ReadModel {
    run(pool, TABLES).await;
    let model = model();
    model.migrate(pool).await.unwrap();
    sync_all_comments(pool).await.unwrap();
    sync_all_posts(pool).await.unwrap();
    sync_all_users(pool).await.unwrap();
    model
}

async fn blog() -> (PgPool, ReadModel) {
    let pool = fraiseql_tests::pool().await;
    let model = filled(&pool).await;
    (pool, model)
}

/// All documents, as they are.
async fn stored(pool: &PgPool) -> Vec<(String, Value)> {
    let mut documents = Vec::new();
    for table in ["tv_comment", "tv_post", "tv_user"] {
        let sql = format!("SELECT id, data FROM {table} ORDER BY id");
        for row in sqlx::query(sqlx::AssertSqlSafe(sql))
            .fetch_all(pool)
            .await
            .unwrap()
        {
            documents.push((format!("{table} {}", row.get::<i64, _>(0)), row.get(1)));
        }
    }
    documents
}

/// Documents are what they would be if all were built anew.
async fn assert_right(pool: &PgPool) {
    let stored_before = stored(pool).await;
    run(pool, "TRUNCATE tv_comment, tv_post, tv_user").await;
    sync_all_comments(pool).await.unwrap();
    sync_all_posts(pool).await.unwrap();
    sync_all_users(pool).await.unwrap();
    assert_eq!(stored_before, stored(pool).await);
}

/// What a mutation runs.
async fn execute(m: &mut Mutation, sql: &'static str) {
    sqlx::raw_sql(sql).execute(&mut **m).await.unwrap();
}

/// One statement and one mark; the documents are right, and so many of each view were looked at.
async fn case(
    sql: &'static str,
    mark: impl FnOnce(&mut Mutation),
    looked_at: [u64; 3],
) -> anyhow::Result<()> {
    let (pool, model) = blog().await;
    let mut m = model.mutation(&pool).await?;
    execute(&mut m, sql).await;
    mark(&mut m);
    let report = m.commit().await?;
    let of = |report: Option<&fraiseql_runtime::SyncReport>| report.map_or(0, |r| r.total());
    assert_eq!(
        [
            of(report.of::<Comment>()),
            of(report.of::<Post>()),
            of(report.of::<User>())
        ],
        looked_at,
        "{report}"
    );
    assert_right(&pool).await;
    Ok(())
}

#[tokio::test]
async fn an_update_finds_all_who_embed_the_row() -> anyhow::Result<()> {
    case(
        "UPDATE tb_user SET name = 'Countess' WHERE id = 2",
        |m| m.changed::<User>(&[2]),
        [0, 3, 1],
    )
    .await
}

#[tokio::test]
async fn an_insert_finds_its_parents() -> anyhow::Result<()> {
    case(
        "INSERT INTO tb_comment VALUES (4, 'New', 3, 1)",
        |m| m.inserted::<Comment>(&[4]),
        [1, 1, 2],
    )
    .await
}

#[tokio::test]
async fn a_move_finds_the_old_parent_and_the_new() -> anyhow::Result<()> {
    case(
        "UPDATE tb_comment SET post_id = 3 WHERE id = 1",
        |m| m.changed::<PostComment>(&[1]),
        [1, 2, 2],
    )
    .await
}

#[tokio::test]
async fn a_delete_finds_its_parents() -> anyhow::Result<()> {
    case(
        "DELETE FROM tb_comment WHERE id = 1",
        |m| m.changed::<Comment>(&[1]),
        [1, 1, 2],
    )
    .await
}

#[tokio::test]
async fn a_row_of_a_join_table_finds_both_ends() -> anyhow::Result<()> {
    case(
        "DELETE FROM tb_post_tag WHERE tag_id = 1; INSERT INTO tb_post_tag VALUES (3, 2)",
        |m| {
            m.changed_rows("tb_post_tag", "tag_id", &[1_i32]).unwrap();
            m.changed_rows("tb_post_tag", "post_id", &[3_i64]).unwrap();
        },
        [0, 3, 0],
    )
    .await
}

#[tokio::test]
async fn rows_that_go_with_a_deleted_one_are_found() -> anyhow::Result<()> {
    case(
        "DELETE FROM tb_user WHERE id = 1",
        |m| m.changed::<User>(&[1]),
        // With Ada go two posts, with these three comments of others.
        [3, 2, 3],
    )
    .await
}

#[tokio::test]
async fn rows_that_lose_their_reference_are_found() -> anyhow::Result<()> {
    case(
        "DELETE FROM tb_user WHERE id = 3",
        |m| m.changed::<User>(&[3]),
        // The comment stays, and with it its post, which is listed at its author.
        [1, 1, 2],
    )
    .await
}

#[tokio::test]
async fn rows_moved_twice_and_several_tables_are_synced_once() -> anyhow::Result<()> {
    let (pool, model) = blog().await;
    let versions = async || -> Vec<(i64, i64)> {
        sqlx::query_as("SELECT id, version FROM tv_post ORDER BY id")
            .fetch_all(&pool)
            .await
            .unwrap()
    };
    assert_eq!(versions().await, [(1, 1), (2, 1), (3, 1)]);
    let mut m = model.mutation(&pool).await?;
    execute(&mut m, "UPDATE tb_comment SET post_id = 2 WHERE id = 1").await;
    m.changed::<Comment>(&[1]);
    execute(&mut m, "UPDATE tb_comment SET post_id = 3 WHERE id = 1").await;
    m.changed::<Comment>(&[1]);
    execute(&mut m, "UPDATE tb_post SET author_id = 3 WHERE id = 1").await;
    m.changed::<Post>(&[1]);
    let report = m.commit().await?;
    assert_eq!(report.of::<Post>().unwrap().updated, 2, "{report}");
    assert_eq!(versions().await, [(1, 2), (2, 1), (3, 2)]);
    assert_right(&pool).await;
    Ok(())
}

#[tokio::test]
async fn dropped_or_rolled_back_nothing_happened() -> anyhow::Result<()> {
    let (pool, model) = blog().await;
    let before = stored(&pool).await;
    let mut m = model.mutation(&pool).await?;
    execute(&mut m, "DELETE FROM tb_post").await;
    m.changed::<Post>(&[1, 2, 3]);
    drop(m);
    let mut m = model.mutation(&pool).await?;
    execute(&mut m, "DELETE FROM tb_post").await;
    m.changed::<Post>(&[1, 2, 3]);
    m.rollback().await?;
    assert_eq!(stored(&pool).await, before);
    assert_right(&pool).await;
    Ok(())
}

#[tokio::test]
async fn a_savepoint_that_is_rolled_back_takes_its_marks_along() -> anyhow::Result<()> {
    let (pool, model) = blog().await;
    let mut m = model.mutation(&pool).await?;
    let mut part = m.savepoint().await?;
    sqlx::raw_sql("UPDATE tb_tag SET name = 'x'")
        .execute(&mut *part)
        .await?;
    part.changed::<Tag>(&[1, 2]);
    drop(part);
    let mut part = m.savepoint().await?;
    sqlx::raw_sql("UPDATE tb_post SET title = 'x' WHERE id = 3")
        .execute(&mut *part)
        .await?;
    part.changed::<Post>(&[3]);
    let mut inner = part.savepoint().await?;
    sqlx::raw_sql("DELETE FROM tb_post")
        .execute(&mut *inner)
        .await?;
    inner.changed::<Post>(&[1, 2, 3]);
    inner.rollback().await?;
    part.release().await?;
    let report = m.commit().await?;
    assert_eq!(
        (report.total(), report.of::<Post>().unwrap().updated),
        (2, 1),
        "{report}"
    );
    assert_right(&pool).await;
    Ok(())
}

/// The second connection is one of the read model's own.
#[tokio::test]
async fn a_pool_of_one_connection_is_enough() -> anyhow::Result<()> {
    let (pool, model) = blog().await;
    let one = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(Duration::from_secs(3))
        .connect_with((*pool.connect_options()).clone())
        .await?;
    for post in [3, 2, 3] {
        let (_, report) = model
            .mutate(&one, async |m| -> anyhow::Result<()> {
                sqlx::query("UPDATE tb_comment SET post_id = $1 WHERE id = 1")
                    .bind(post)
                    .execute(&mut **m)
                    .await?;
                m.changed::<Comment>(&[1]);
                Ok(())
            })
            .await?;
        assert_eq!(report.of::<Post>().unwrap().updated, 2, "{report}");
    }
    let connections: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()",
    )
    .fetch_one(&one)
    .await?;
    let of_others = i64::from(pool.size());
    assert_eq!(connections - of_others, 2, "one, and one to look back");
    assert_right(&pool).await;
    Ok(())
}

#[tokio::test]
async fn a_lost_spare_connection_is_replaced() -> anyhow::Result<()> {
    let (pool, model) = blog().await;
    let one = PgPoolOptions::new()
        .max_connections(1)
        .connect_with((*pool.connect_options()).clone())
        .await?;
    let shift = async |post: i64| {
        model
            .mutate(&one, async |m| -> anyhow::Result<()> {
                sqlx::query("UPDATE tb_comment SET post_id = $1 WHERE id = 1")
                    .bind(post)
                    .execute(&mut **m)
                    .await?;
                m.changed::<Comment>(&[1]);
                Ok(())
            })
            .await
    };
    shift(2).await?;
    run(
        &one,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    .await;
    shift(3).await?;
    assert_right(&pool).await;
    Ok(())
}

#[tokio::test]
async fn a_table_that_the_mutation_locks_is_not_waited_for_for_ever() -> anyhow::Result<()> {
    let (pool, model) = blog().await;
    let mut m = model.mutation(&pool).await?;
    execute(&mut m, "TRUNCATE tb_comment").await;
    m.changed::<Comment>(&[1]);
    let error = m.commit().await.unwrap_err();
    assert!(error.to_string().contains("lock timeout"), "{error}");
    assert_right(&pool).await;
    Ok(())
}

#[tokio::test]
async fn limits_fail_with_numbers_and_ways() -> anyhow::Result<()> {
    let (pool, model) = blog().await;
    let mut m = model.mutation(&pool).await?;
    execute(&mut m, "UPDATE tb_user SET name = 'x' WHERE id = 2").await;
    m.changed::<User>(&[2]);
    m.limits(Limits {
        documents: 2,
        ..Limits::default()
    });
    let error = m.commit().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the rows that were changed are in more than 2 documents, the most that this mutation may \
         sync: 2 by tb_user.id -> Post.comments.author, 1 by tb_user.id -> Post.author, 1 by \
         tb_user.id -> User; raise the limit, or let it leave the rest to a full sync \
         (Limits::beyond)"
    );
    let mut m = model.mutation(&pool).await?;
    execute(&mut m, "UPDATE tb_user SET name = 'x' WHERE id = 2").await;
    m.changed::<User>(&[2]);
    m.limits(Limits {
        depth: 1,
        ..Limits::default()
    });
    let error = m.commit().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the rows that were changed are 2 steps away from the documents that they are in, by \
         tb_user.id -> Post.comments.author; this mutation may go 1: raise the limit, or let it \
         leave the rest to a full sync (Limits::beyond)"
    );
    let name: String = sqlx::query_scalar("SELECT name FROM tb_user WHERE id = 2")
        .fetch_one(&pool)
        .await?;
    assert_eq!(name, "Bob", "rolled back");
    Ok(())
}

#[tokio::test]
async fn beyond_the_limit_a_view_can_be_left_to_a_full_sync() -> anyhow::Result<()> {
    let (pool, model) = blog().await;
    let mut m = model.mutation(&pool).await?;
    execute(&mut m, "UPDATE tb_user SET name = 'x' WHERE id = 2").await;
    m.changed::<User>(&[2]);
    m.limits(Limits {
        documents: 2,
        beyond: Beyond::Leave,
        ..Limits::default()
    });
    let report = m.commit().await?;
    assert!(report.of::<Post>().is_none());
    assert_eq!(report.of::<User>().unwrap().updated, 1);
    assert_eq!(
        (report.left[0].entity, report.left[0].at_least),
        ("post", 3)
    );
    assert!(
        report.to_string().contains("left to a full sync"),
        "{report}"
    );
    sync_all_posts(&pool).await?;
    assert_right(&pool).await;
    Ok(())
}

#[tokio::test]
async fn an_invalid_document_is_reported_or_strict_rolls_back() -> anyhow::Result<()> {
    let (pool, model) = blog().await;
    run(&pool, "ALTER TABLE tb_post ALTER title DROP NOT NULL").await;
    let broken = "UPDATE tb_post SET title = nullif(id, 1)::text WHERE id < 3";
    let mut m = model.mutation(&pool).await?;
    execute(&mut m, broken).await;
    m.changed::<Post>(&[1, 2]);
    m.strict();
    let Err(Error::Invalid { documents }) = m.commit().await else {
        panic!("strict fails");
    };
    let keys: Vec<_> = documents
        .iter()
        .map(|d| (d.view.name, d.key.as_str()))
        .collect();
    assert_eq!(
        keys,
        [
            ("tv_comment", "1"),
            ("tv_comment", "2"),
            ("tv_post", "1"),
            ("tv_user", "1")
        ]
    );
    assert_right(&pool).await;

    let mut m = model.mutation(&pool).await?;
    execute(&mut m, broken).await;
    m.changed::<Post>(&[1, 2]);
    let report = m.commit().await?;
    assert_eq!(report.invalid().count(), 4);
    assert_eq!(report.of::<Post>().unwrap().updated, 1, "post 2");
    let title: Value = sqlx::query_scalar("SELECT data->'title' FROM tv_post WHERE id = 1")
        .fetch_one(&pool)
        .await?;
    assert_eq!(title, "One", "it stays as it was");
    Ok(())
}

#[tokio::test]
async fn a_mutation_is_run_again_after_a_deadlock() -> anyhow::Result<()> {
    #[derive(Debug, thiserror::Error)]
    enum Failure {
        #[error("no such user")]
        Missing,
        #[error(transparent)]
        Sql(#[from] sqlx::Error),
        #[error(transparent)]
        Sync(#[from] Error),
    }
    let (pool, model) = blog().await;
    let rename = async |first: i64, second: i64| {
        model
            .mutate(&pool, async |m| -> Result<(), Failure> {
                for user in [first, second] {
                    let done = sqlx::query("UPDATE tb_user SET name = name || 'x' WHERE id = $1")
                        .bind(user)
                        .execute(&mut **m)
                        .await?;
                    if done.rows_affected() == 0 {
                        return Err(Failure::Missing);
                    }
                    // Long enough for the other to have its first.
                    sqlx::query("SELECT pg_sleep(0.05)")
                        .execute(&mut **m)
                        .await?;
                }
                m.changed::<User>(&[first, second]);
                Ok(())
            })
            .await
    };
    let (one, other) = tokio::join!(rename(1, 2), rename(2, 1));
    assert!(one?.1.retries + other?.1.retries > 0);
    let names: Vec<String> = sqlx::query_scalar("SELECT name FROM tb_user ORDER BY id")
        .fetch_all(&pool)
        .await?;
    assert_eq!(names, ["Adaxx", "Bobxx", "Eve"]);
    assert_right(&pool).await;
    let error = rename(1, 9).await.unwrap_err();
    assert!(matches!(error, Failure::Missing));
    assert_right(&pool).await;
    Ok(())
}

#[tokio::test]
async fn serializable_mutations_fail_or_are_right() -> anyhow::Result<()> {
    let (pool, model) = blog().await;
    let mut m = model.mutation_with(&pool, Isolation::Serializable).await?;
    // Its snapshot is taken now.
    execute(&mut m, "UPDATE tb_user SET name = 'Robert' WHERE id = 2").await;
    m.changed::<User>(&[2]);
    // Another one inserts a row that the first does not see, and that embeds what it changes.
    let mut other = model.mutation(&pool).await?;
    execute(
        &mut other,
        "SET LOCAL lock_timeout = '100ms'; INSERT INTO tb_comment VALUES (5, 'New', 3, 2)",
    )
    .await;
    other.inserted::<Comment>(&[5]);
    let error = other.commit().await.unwrap_err();
    assert!(
        error.to_string().contains("lock timeout"),
        "it waits for the first: {error}"
    );
    m.commit().await?;
    assert_right(&pool).await;

    let mut m = model.mutation_with(&pool, Isolation::Serializable).await?;
    execute(&mut m, "SELECT count(*) FROM tb_comment").await;
    let mut other = model.mutation(&pool).await?;
    execute(&mut other, "INSERT INTO tb_comment VALUES (5, 'New', 3, 2)").await;
    other.inserted::<Comment>(&[5]);
    other.commit().await?;
    execute(&mut m, "UPDATE tb_user SET name = 'Bobby' WHERE id = 2").await;
    m.changed::<User>(&[2]);
    let error = m.commit().await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    assert_right(&pool).await;
    Ok(())
}

#[tokio::test]
async fn it_can_be_sent_between_threads() -> anyhow::Result<()> {
    async fn service(m: &mut Mutation) -> Result<(), sqlx::Error> {
        sqlx::query("UPDATE tb_post SET title = 'x' WHERE id = 1")
            .execute(&mut **m)
            .await?;
        m.changed::<Post>(&[1]);
        Ok(())
    }
    let (pool, model) = blog().await;
    let (of_task, of_model) = (pool.clone(), model.clone());
    tokio::spawn(async move {
        let mut m = of_model.mutation(&of_task).await?;
        service(&mut m).await?;
        m.commit().await?;
        let (_, report) = of_model
            .mutate(&of_task, async |m| -> anyhow::Result<()> {
                service(m).await?;
                Ok(())
            })
            .await?;
        assert_eq!(report.of::<Post>().unwrap().unchanged, 1);
        anyhow::Ok(())
    })
    .await??;
    assert_right(&pool).await;
    Ok(())
}

#[tokio::test]
async fn code_that_only_marks_takes_any_changes() -> anyhow::Result<()> {
    fn touched(changes: &mut impl Changes) -> fraiseql_runtime::Result<()> {
        changes.changed::<Tag>(&[1]);
        changes.inserted::<Comment>(&[7]);
        changes.changed_rows("tb_post_tag", "post_id", &[1_i64])?;
        changes.resync::<Post>(&[3]);
        Ok(())
    }
    let (pool, model) = blog().await;
    let mut m = model.mutation(&pool).await?;
    execute(&mut m, "UPDATE tb_tag SET name = 'SQL' WHERE id = 1").await;
    touched(&mut m)?;
    let mut part = m.savepoint().await?;
    touched(&mut part)?;
    part.release().await?;
    let report = m.commit().await?;
    assert_eq!(report.of::<Post>().unwrap().total(), 3, "{report}");
    assert_right(&pool).await;
    let mut m = model.mutation(&pool).await?;
    let error = m
        .changed_rows("tb_posttag", "post_id", &[1_i64])
        .unwrap_err();
    assert!(
        error.to_string().ends_with("did you mean `tb_post_tag`?"),
        "{error}"
    );
    Ok(())
}

/// The comment leaves a post that somebody else is moving to another author: that author's
/// document counts it no more.
#[tokio::test]
async fn an_old_parent_that_is_moved_meanwhile_is_followed() -> anyhow::Result<()> {
    let (pool, model) = blog().await;
    let mut other = model.mutation(&pool).await?;
    execute(&mut other, "UPDATE tb_post SET author_id = 3 WHERE id = 1").await;
    other.changed::<Post>(&[1]);
    let mut m = model.mutation(&pool).await?;
    execute(&mut m, "UPDATE tb_comment SET post_id = 3 WHERE id = 1").await;
    m.changed::<Comment>(&[1]);
    let (one, two) = tokio::join!(m.commit(), async {
        fraiseql_tests::watched::wait_for_a_lock(&pool).await;
        other.commit().await
    });
    let (one, _) = (one?, two?);
    assert_eq!(
        one.of::<User>().unwrap().updated,
        2,
        "the authors of posts 1 and 3: {one}"
    );
    assert_right(&pool).await;
    Ok(())
}

/// Rows whose key for clients is another than the one that tables join by.
mod two_keys {
    use super::*;

    const TABLES: &str = "
        CREATE TABLE tb_user (pk_user int8 PRIMARY KEY, id text NOT NULL UNIQUE, name text NOT NULL);
        CREATE TABLE tb_post (pk_post int8 PRIMARY KEY, id text NOT NULL UNIQUE,
            fk_author int8 NOT NULL REFERENCES tb_user ON DELETE CASCADE);
        CREATE INDEX ON tb_post (fk_author);
        CREATE TABLE tb_tag (pk_tag int8 PRIMARY KEY, id text NOT NULL UNIQUE, name text NOT NULL);
        CREATE TABLE tb_post_tag (fk_post int8 REFERENCES tb_post ON DELETE CASCADE,
            fk_tag int8 REFERENCES tb_tag ON DELETE CASCADE, PRIMARY KEY (fk_post, fk_tag));
        CREATE INDEX ON tb_post_tag (fk_tag);
        INSERT INTO tb_user VALUES (1, 'ada', 'Ada'), (2, 'bob', 'Bob');
        INSERT INTO tb_post VALUES (1, 'one', 1), (2, 'two', 1), (3, 'three', 2);
        INSERT INTO tb_tag VALUES (1, 'sql', 'SQL'), (2, 'rust', 'Rust');
        INSERT INTO tb_post_tag VALUES (1, 1), (1, 2), (2, 1)";

    #[derive(Debug, PartialEq, TView)]
    struct Post {
        id: String,
        #[tview(one(fk = "fk_author", key = "pk_user"))]
        author: Author,
        #[tview(many(
            through(table = "tb_post_tag", fk = "fk_post", to = "fk_tag", key = "pk_tag"),
            key = "pk_post",
            order_by = "name"
        ))]
        tags: Vec<Tag>,
    }

    #[derive(Debug, PartialEq, Embed)]
    #[tview(table = "tb_user")]
    struct Author {
        id: String,
        name: String,
    }

    #[derive(Debug, PartialEq, Embed)]
    struct Tag {
        id: String,
        name: String,
    }

    async fn tags(pool: &PgPool, post: &str) -> Vec<String> {
        let post = Post::find(pool, post.to_owned()).await.unwrap().unwrap();
        post.tags.into_iter().map(|tag| tag.name).collect()
    }

    async fn blog() -> (PgPool, ReadModel) {
        let pool = fraiseql_tests::pool().await;
        run(&pool, TABLES).await;
        let model = ReadModel::builder().view::<Post>().build().unwrap();
        model.migrate(&pool).await.unwrap();
        model.check(&pool).await.unwrap().into_result().unwrap();
        sync_all_posts(&pool).await.unwrap();
        (pool, model)
    }

    #[tokio::test]
    async fn a_join_table_may_refer_to_another_column_than_the_key() {
        let (pool, model) = blog().await;
        assert_eq!(tags(&pool, "one").await, ["Rust", "SQL"]);
        assert_eq!(tags(&pool, "two").await, ["SQL"]);
        assert_eq!(tags(&pool, "three").await, [""; 0]);

        // What follows the same columns: changes of either side and of the rows between.
        let mut m = model.mutation(&pool).await.unwrap();
        execute(
            &mut m,
            "UPDATE tb_tag SET name = 'Structured' WHERE id = 'sql'",
        )
        .await;
        m.changed::<Tag>(&["sql".to_owned()]);
        let report = m.commit().await.unwrap();
        assert_eq!(report.of::<Post>().unwrap().updated, 2);
        assert_eq!(tags(&pool, "two").await, ["Structured"]);

        let mut m = model.mutation(&pool).await.unwrap();
        execute(
            &mut m,
            "UPDATE tb_post_tag SET fk_post = 3 WHERE fk_tag = 2",
        )
        .await;
        m.changed_rows("tb_post_tag", "fk_tag", &[2_i64]).unwrap();
        let report = m.commit().await.unwrap();
        assert_eq!(report.of::<Post>().unwrap().updated, 2, "{report}");
        assert_eq!(tags(&pool, "three").await, ["Rust"]);

        let mut m = model.mutation(&pool).await.unwrap();
        execute(&mut m, "DELETE FROM tb_tag WHERE id = 'rust'").await;
        m.changed::<Tag>(&["rust".to_owned()]);
        assert_eq!(m.commit().await.unwrap().of::<Post>().unwrap().updated, 1);

        let mut m = model.mutation(&pool).await.unwrap();
        execute(&mut m, "DELETE FROM tb_user WHERE id = 'ada'").await;
        m.changed::<Author>(&["ada".to_owned()]);
        assert_eq!(m.commit().await.unwrap().of::<Post>().unwrap().deleted, 2);
        fraiseql_runtime::assert_synced(&model, &pool).await;
    }
}
