//! Tests that a mutation finds every document that contains a changed row.

use fraiseql_runtime::{Embed, ReadModel, TView};
use fraiseql_tests::{run, world};
use sqlx::PgPool;

use super::{Comment, Post, PostComment, User, assert_right, blog, case, execute};

#[tokio::test]
async fn an_update_finds_all_documents_that_embed_the_row() -> anyhow::Result<()> {
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
async fn a_row_of_a_join_table_finds_the_documents_on_both_sides() -> anyhow::Result<()> {
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
async fn rows_that_a_cascade_deletes_are_found() -> anyhow::Result<()> {
    case(
        "DELETE FROM tb_user WHERE id = 1",
        |m| m.changed::<User>(&[1]),
        // Deleting Ada deletes two posts, with these three comments of others.
        [3, 2, 3],
    )
    .await
}

#[tokio::test]
async fn rows_whose_reference_a_delete_sets_to_null_are_found() -> anyhow::Result<()> {
    case(
        "DELETE FROM tb_user WHERE id = 3",
        |m| m.changed::<User>(&[3]),
        // The comment stays, and so does its post, which is in the list of the post's author.
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

/// Rows whose public key differs from the one that tables join by.
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
        let model = world::model::<Post>();
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

        // Related by the same columns: changes of either side and of the rows between.
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
