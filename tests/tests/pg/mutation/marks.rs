//! Tests that a mark that matches nothing is an error, and in a strict mutation a missing mark.

use fraiseql_runtime::mutation::Isolation;
use fraiseql_runtime::{Embed, Error, Mutation, ReadModel, TView};
use fraiseql_tests::run;
use sqlx::PgPool;

use super::{Comment, Post, Tag, User, assert_right, blog, execute};

#[derive(Embed)]
#[allow(dead_code)]
struct Token {
    id: i64,
}

/// A view that is not one of the model.
#[derive(TView)]
#[allow(dead_code)]
struct Dashboard {
    id: i64,
}

/// Another, of a table that the model reads.
#[derive(TView)]
#[tview(table = "tb_post", view = "tv_post_dashboard")]
#[allow(dead_code)]
struct PostDashboard {
    id: i64,
}

#[tokio::test]
async fn a_mark_that_matches_nothing_is_an_error_of_the_commit() -> anyhow::Result<()> {
    let (pool, model) = blog().await;
    let mark_none: [fn(&mut Mutation); 3] = [
        |m| m.changed::<Token>(&[1]),
        |m| m.inserted::<Token>(&[1]),
        |m| m.changed::<Token>(&[]),
    ];
    for mark in mark_none {
        let mut m = model.mutation(&pool).await?;
        mark(&mut m);
        m.changed::<Post>(&[1]);
        let error = m.commit().await.unwrap_err();
        assert!(matches!(error, Error::UnknownMark { .. }));
        let text = error.to_string();
        assert!(
            text.contains("::<Token>, at tests/tests/pg/mutation/marks.rs:")
                && text.ends_with("no document of this read model depends on rows of `tb_token`"),
            "{text}"
        );
    }
    let mark_foreign: [(fn(&mut Mutation), _); 2] = [
        (
            |m| m.changed::<Dashboard>(&[1]),
            "`tb_dashboard` by another struct",
        ),
        // The model has other documents of these rows.
        (
            |m| m.changed::<PostDashboard>(&[1]),
            "`tb_post` by another struct",
        ),
    ];
    for (mark, end) in mark_foreign {
        let mut m = model.mutation(&pool).await?;
        mark(&mut m);
        let text = m.commit().await.unwrap_err().to_string();
        assert!(
            text.contains("Dashboard>, at")
                && text.contains("the view is not one of this read model")
                && text.ends_with(end),
            "{text}"
        );
    }
    let mut m = model.mutation(&pool).await?;
    let error = m.changing::<Token>(&[1]).await.unwrap_err();
    assert!(matches!(error, Error::UnknownMark { .. }), "{error}");
    // In a savepoint, the mistake goes with the other marks, or stays.
    let mut part = m.savepoint().await?;
    part.changed::<Token>(&[1]);
    part.rollback().await?;
    m.commit().await?;
    let mut m = model.mutation(&pool).await?;
    let mut part = m.savepoint().await?;
    part.changed::<Token>(&[1]);
    part.release().await?;
    assert!(m.commit().await.is_err());
    assert_right(&pool).await;
    Ok(())
}

/// `Profile` is a view, and the model has documents that contain it.
#[tokio::test]
async fn a_view_that_is_only_a_part_can_be_marked() -> anyhow::Result<()> {
    #[derive(TView)]
    #[tview(table = "tb_user", view = "tv_profile")]
    #[allow(dead_code)]
    struct Profile {
        id: i64,
        name: String,
    }
    #[derive(TView)]
    #[tview(table = "tb_post", view = "tv_page")]
    #[allow(dead_code)]
    struct Page {
        id: i64,
        #[tview(one(fk = "author_id"))]
        author: Profile,
    }
    let (pool, _) = blog().await;
    let model = ReadModel::builder().view::<Page>().build()?;
    model.migrate(&pool).await?;
    let mut m = model.mutation(&pool).await?;
    m.changed::<Profile>(&[1]);
    assert_eq!(m.commit().await?.of::<Page>().unwrap().inserted, 2);
    Ok(())
}

/// Runs a statement in a strict mutation, with a mark.
async fn strict(
    model: &ReadModel,
    pool: &PgPool,
    sql: &'static str,
    mark: impl FnOnce(&mut Mutation),
) -> Result<(), String> {
    let mut m = model.mutation(pool).await.unwrap();
    m.strict();
    execute(&mut m, sql).await;
    mark(&mut m);
    match m.commit().await {
        Ok(_) => Ok(()),
        Err(Error::Unmarked { tables }) => Err(tables.join(" ")),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_strict_mutation_may_not_forget_a_table() -> anyhow::Result<()> {
    let (pool, model) = blog().await;
    run(&pool, "CREATE TABLE audit (id int8 PRIMARY KEY)").await;
    let refused = [
        ("INSERT INTO tb_tag VALUES (9, 'new')", "tb_tag"),
        (
            "UPDATE tb_post SET title = title || '!' WHERE id = 1",
            "tb_post",
        ),
        ("DELETE FROM tb_comment WHERE id = 3", "tb_comment"),
        ("DELETE FROM tb_post WHERE id = 3", "tb_post"),
        ("TRUNCATE tb_comment", "tb_comment"),
        (
            "COPY tb_tag FROM PROGRAM 'true'; UPDATE tb_tag SET name = name",
            "tb_tag",
        ),
        (
            "UPDATE tb_user SET name = 'x' WHERE id = 3; UPDATE tb_tag SET name = 'x' WHERE id = 1",
            "tb_tag tb_user",
        ),
        (
            "DO $$ BEGIN UPDATE tb_tag SET name = 'x' WHERE id = 1; END $$",
            "tb_tag",
        ),
        (
            "SAVEPOINT a; UPDATE tb_tag SET name = 'x' WHERE id = 1; RELEASE a",
            "tb_tag",
        ),
        (
            "MERGE INTO tb_tag AS t USING (SELECT 1 AS id) AS s ON s.id = t.id
             WHEN MATCHED THEN UPDATE SET name = 'y'",
            "tb_tag",
        ),
    ];
    let version: i32 = sqlx::query_scalar("SELECT current_setting('server_version_num')::int4")
        .fetch_one(&pool)
        .await?;
    for (sql, tables) in refused {
        if sql.starts_with("MERGE") && version < 150_000 {
            continue;
        }
        let outcome = strict(&model, &pool, sql, |_| {}).await;
        assert_eq!(outcome, Err(tables.to_owned()), "{sql}");
        assert_right(&pool).await;
    }
    let allowed = [
        "SELECT count(*) FROM tb_post",
        "SELECT FROM tb_post WHERE id = 1 FOR UPDATE",
        "INSERT INTO audit VALUES (1); UPDATE audit SET id = 2; DELETE FROM audit",
        "UPDATE tb_post SET title = 'x' WHERE id = 99",
        "INSERT INTO tb_tag VALUES (1, 'x') ON CONFLICT DO NOTHING",
        "SAVEPOINT a; UPDATE tb_tag SET name = 'x' WHERE id = 1; ROLLBACK TO a",
        "SAVEPOINT a; TRUNCATE tb_comment; ROLLBACK TO a",
        "CREATE TEMP TABLE t (id int8) ON COMMIT DROP; INSERT INTO t VALUES (1)",
    ];
    for sql in allowed {
        assert_eq!(strict(&model, &pool, sql, |_| {}).await, Ok(()), "{sql}");
        assert_right(&pool).await;
    }
    Ok(())
}

/// What the session wrote before does not count.
#[tokio::test]
async fn rows_of_earlier_transactions_do_not_count() -> anyhow::Result<()> {
    let (pool, model) = blog().await;
    let one = sqlx::postgres::PgPoolOptions::new()
        .max_connections(1)
        .connect_with((*pool.connect_options()).clone())
        .await?;
    for _ in 0..5 {
        run(&one, "INSERT INTO tb_tag VALUES (9, 'new')").await;
        run(&one, "DELETE FROM tb_tag WHERE id = 9").await;
        // The first of them has nothing to compare with.
        let found_none = "SELECT";
        assert_eq!(strict(&model, &one, found_none, |_| {}).await, Ok(()));
        let found_none = "UPDATE tb_tag SET name = 'x' WHERE id = 99";
        assert_eq!(strict(&model, &one, found_none, |_| {}).await, Ok(()));
        let found_one = "UPDATE tb_tag SET name = name WHERE id = 1";
        assert!(strict(&model, &one, found_one, |_| {}).await.is_err());
    }
    Ok(())
}

#[tokio::test]
async fn marks_of_any_kind_and_cascades_satisfy_a_strict_mutation() -> anyhow::Result<()> {
    type Mark = fn(&mut Mutation);
    let cases: [(&'static str, Mark); 6] = [
        ("UPDATE tb_post SET title = 'x' WHERE id = 1", |m| {
            m.changed::<Post>(&[1]);
        }),
        ("INSERT INTO tb_comment VALUES (9, 'x', 1, 1)", |m| {
            m.inserted::<Comment>(&[9]);
        }),
        ("DELETE FROM tb_post_tag WHERE tag_id = 1", |m| {
            m.changed_rows("tb_post_tag", "tag_id", &[1_i32]).unwrap();
        }),
        ("UPDATE tb_tag SET name = name", |m| m.changed::<Tag>(&[])),
        // Its posts, comments and tags go with it.
        ("DELETE FROM tb_user WHERE id = 1", |m| {
            m.changed::<User>(&[1]);
        }),
        ("DELETE FROM tb_user WHERE id = 3", |m| {
            m.changed::<User>(&[3]);
        }),
    ];
    for (sql, mark) in cases {
        let (pool, model) = blog().await;
        assert_eq!(strict(&model, &pool, sql, mark).await, Ok(()), "{sql}");
        assert_right(&pool).await;
    }
    let (pool, model) = blog().await;
    let mut m = model.mutation_with(&pool, Isolation::Serializable).await?;
    m.strict();
    m.changing::<User>(&[1]).await?;
    execute(&mut m, "DELETE FROM tb_user WHERE id = 1").await;
    m.commit().await?;
    assert_right(&pool).await;
    Ok(())
}

#[tokio::test]
async fn tables_that_a_trigger_or_a_partition_writes_are_noticed() -> anyhow::Result<()> {
    #[derive(TView)]
    #[allow(dead_code)]
    struct Item {
        id: i64,
        n: i64,
    }
    #[derive(TView)]
    #[allow(dead_code)]
    struct Total {
        id: i64,
        n: i64,
    }
    let pool = fraiseql_tests::pool().await;
    run(
        &pool,
        "CREATE TABLE tb_item (id int8 PRIMARY KEY, n int8 NOT NULL) PARTITION BY RANGE (id);
         CREATE TABLE tb_item_1 PARTITION OF tb_item FOR VALUES FROM (0) TO (9);
         CREATE TABLE tb_total (id int8 PRIMARY KEY, n int8 NOT NULL);
         CREATE TABLE tb_old_total (PRIMARY KEY (id)) INHERITS (tb_total);
         INSERT INTO tb_total VALUES (1, 0); INSERT INTO tb_old_total VALUES (2, 0);
         CREATE FUNCTION count_items() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN UPDATE tb_old_total SET n = n + 1; RETURN NULL; END $$;
         CREATE TRIGGER counts AFTER INSERT ON tb_item EXECUTE FUNCTION count_items()",
    )
    .await;
    let model = ReadModel::builder()
        .view::<Item>()
        .view::<Total>()
        .build()?;
    model.migrate(&pool).await?;
    let insert = "INSERT INTO tb_item VALUES (1, 1)";
    let none = strict(&model, &pool, insert, |_| {}).await;
    assert_eq!(none, Err("tb_item tb_total".to_owned()));
    let one = strict(&model, &pool, insert, |m| m.inserted::<Item>(&[1])).await;
    assert_eq!(one, Err("tb_total".to_owned()));
    let leaf = "UPDATE tb_item_1 SET n = 2; INSERT INTO tb_item_1 VALUES (2, 1)";
    let leaf = strict(&model, &pool, leaf, |_| {}).await;
    assert_eq!(leaf, Err("tb_item".to_owned()));
    let both = strict(&model, &pool, insert, |m| {
        m.inserted::<Item>(&[1]);
        m.changed::<Total>(&[2]);
    })
    .await;
    assert_eq!(both, Ok(()));
    Ok(())
}

/// The role may not read the table whose rows go with the marked one.
#[tokio::test]
async fn a_foreign_key_that_cannot_be_followed_is_reported_or_refused() -> anyhow::Result<()> {
    let (pool, model) = blog().await;
    let options = pool.connect_options();
    let role = format!("poor_of_{}", options.get_database().unwrap());
    let sql = format!(
        "CREATE TABLE secret (user_id int8 REFERENCES tb_user ON DELETE CASCADE, id int8 PRIMARY KEY);
         CREATE TABLE tb_tag_of (tag_id int4 REFERENCES tb_tag, secret_id int8 REFERENCES secret ON DELETE CASCADE);
         ALTER TABLE tb_comment ADD COLUMN secret_id int8 REFERENCES secret ON DELETE SET NULL;
         CREATE ROLE \"{role}\" LOGIN;
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO \"{role}\";
         REVOKE ALL ON secret FROM \"{role}\""
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
        .execute(&pool)
        .await?;
    let poor = PgPool::connect_with((*options).clone().username(&role)).await?;
    for (strict, before) in [(true, false), (true, true), (false, false)] {
        let mut m = model.mutation(&poor).await?;
        if strict {
            m.strict();
        }
        if before {
            m.changing::<User>(&[3]).await?;
        }
        execute(&mut m, "DELETE FROM tb_user WHERE id = 3").await;
        m.changed::<User>(&[3]);
        let expected = "\"public\".\"secret\" (secret_user_id_fkey)";
        match m.commit().await {
            Ok(report) => {
                assert!(!strict);
                assert_eq!(report.not_followed, [expected]);
            }
            Err(Error::NotFollowed { keys }) => {
                assert!(strict);
                assert_eq!(keys, [expected]);
            }
            Err(error) => panic!("{error}"),
        }
    }
    poor.close().await;
    Ok(())
}
