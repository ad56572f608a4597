//! Tests that a mutation with more dependents than its limits allow fails or defers them, as
//! configured.

use fraiseql_runtime::Error;
use fraiseql_runtime::mutation::{Limits, OverLimit};
use fraiseql_tests::run;
use serde_json::Value;

use super::{Post, User, assert_right, blog, execute, sync_all_posts};

#[tokio::test]
async fn exceeded_limits_are_errors_with_the_numbers_and_the_embed_paths() -> anyhow::Result<()> {
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
        "the changed rows are in more than 2 documents, the limit of this mutation: 2 by \
         tb_user.id -> Post.comments.author, 1 by tb_user.id -> Post.author, 1 by \
         tb_user.id -> User; raise the limit, or leave the other documents to a full sync \
         (Limits::over_limit)"
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
        "the changed rows are 2 steps away from documents that depend on them, by \
         tb_user.id -> Post.comments.author, and the limit of this mutation is 1; raise the limit, \
         or leave those documents to a full sync (Limits::over_limit)"
    );
    let name: String = sqlx::query_scalar("SELECT name FROM tb_user WHERE id = 2")
        .fetch_one(&pool)
        .await?;
    assert_eq!(name, "Bob", "rolled back");
    Ok(())
}

#[tokio::test]
async fn dependents_beyond_the_limit_can_be_deferred_to_a_full_sync() -> anyhow::Result<()> {
    let (pool, model) = blog().await;
    let mut m = model.mutation(&pool).await?;
    execute(&mut m, "UPDATE tb_user SET name = 'x' WHERE id = 2").await;
    m.changed::<User>(&[2]);
    m.limits(Limits {
        documents: 2,
        over_limit: OverLimit::Defer,
        ..Limits::default()
    });
    let report = m.commit().await?;
    assert!(report.of::<Post>().is_none());
    assert_eq!(report.of::<User>().unwrap().updated, 1);
    assert_eq!(
        (report.deferred[0].entity, report.deferred[0].at_least),
        ("post", 3)
    );
    assert!(
        report.to_string().contains("deferred to a full sync"),
        "{report}"
    );
    sync_all_posts(&pool).await?;
    assert_right(&pool).await;
    Ok(())
}

#[tokio::test]
async fn an_invalid_document_is_reported_or_rolls_a_strict_mutation_back() -> anyhow::Result<()> {
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
