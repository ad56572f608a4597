//! Tests that two releases of a struct read each document in their own shape.

use fraiseql_runtime::{Error, TView};
use fraiseql_tests::run;
use serde_json::Value;
use sqlx::postgres::PgPoolOptions;

use super::{deployed, new, new_document, old, old_document};

#[tokio::test]
async fn each_release_reads_documents_of_its_own_shape() -> anyhow::Result<()> {
    let pool = deployed(6).await;
    new::sync_post(&pool, &[2, 5]).await?;

    let json = new::Post::find_json(&pool, 1).await?.expect("there is one");
    assert_eq!(serde_json::from_str::<Value>(json.get())?, new_document(1));
    let json = old::Post::find_json(&pool, 2).await?.expect("there is one");
    assert_eq!(serde_json::from_str::<Value>(json.get())?, old_document(2));
    assert_eq!(new::Post::find(&pool, 2).await?.unwrap().score, 0.1);
    assert_eq!(new::Post::find(&pool, 99).await?, None);

    // Stored and built documents in the order of the keys, one of which is given twice.
    let keys = [5, 1, 99, 2, 6, 1];
    let posts = new::Post::find_many(&pool, &keys).await?;
    let found: Vec<Value> = posts
        .iter()
        .map(serde_json::to_value)
        .collect::<Result<_, _>>()?;
    assert_eq!(found, [5, 1, 2, 6, 1].map(new_document));
    let posts = old::Post::find_many(&pool, &keys).await?;
    let found: Vec<Value> = posts
        .iter()
        .map(serde_json::to_value)
        .collect::<Result<_, _>>()?;
    assert_eq!(found, [5, 1, 2, 6, 1].map(old_document));
    Ok(())
}

#[tokio::test]
async fn a_document_built_for_a_read_equals_the_stored_one() -> anyhow::Result<()> {
    let pool = deployed(2).await;
    let read = async || new::Post::find_json(&pool, 1).await;
    let built = read().await?.expect("there is one").get().to_owned();
    new::sync_post(&pool, &[1]).await?;
    assert_eq!(read().await?.expect("there is one").get(), built);
    Ok(())
}

#[tokio::test]
async fn a_document_of_the_right_shape_is_read_without_the_base_tables() -> anyhow::Result<()> {
    let pool = deployed(2).await;
    new::sync_post(&pool, &[2]).await?;
    run(&pool, "ALTER TABLE tb_post RENAME TO elsewhere").await;
    assert!(new::Post::find(&pool, 2).await?.is_some());
    assert_eq!(new::Post::find_many(&pool, &[2]).await?.len(), 1);
    let error = new::Post::find(&pool, 1).await.unwrap_err();
    assert!(error.to_string().contains("tb_post"), "{error}");
    Ok(())
}

#[tokio::test]
async fn the_session_of_the_reader_is_unchanged() -> anyhow::Result<()> {
    fraiseql_tests::needs_sessions();
    let pool = deployed(2).await;
    let unusual = "SET TimeZone = 'Asia/Kolkata'; SET extra_float_digits = -10";
    let unusual_pool = PgPoolOptions::new()
        .max_connections(1)
        .after_connect(move |connection, _| {
            Box::pin(async move { sqlx::raw_sql(unusual).execute(connection).await.map(drop) })
        })
        .connect_with((*pool.connect_options()).clone())
        .await?;
    let settings = "SELECT current_setting('TimeZone') || current_setting('extra_float_digits')";
    let right = |json: Option<Box<serde_json::value::RawValue>>| {
        let json: Value = serde_json::from_str(json.expect("there is one").get()).unwrap();
        assert_eq!(json, new_document(1));
    };

    right(new::Post::find_json(&unusual_pool, 1).await?);
    let mut connection = unusual_pool.acquire().await?;
    right(new::Post::find_json(&mut connection, 1).await?);
    right(new::Post::find_json(&mut *connection, 1).await?);
    let set: String = sqlx::query_scalar(settings)
        .fetch_one(&mut *connection)
        .await?;
    assert_eq!(set, "Asia/Kolkata-10");
    drop(connection);

    // In a transaction, which sees its own changes and stays usable.
    let mut transaction = unusual_pool.begin().await?;
    sqlx::raw_sql("UPDATE tb_post SET title = 'mine' WHERE id = 2")
        .execute(&mut *transaction)
        .await?;
    right(new::Post::find_json(&mut transaction, 1).await?);
    let post = new::Post::find(&mut *transaction, 2).await?.unwrap();
    assert_eq!(post.title, "mine");
    let set: String = sqlx::query_scalar(settings)
        .fetch_one(&mut *transaction)
        .await?;
    assert_eq!(set, "Asia/Kolkata-10");
    transaction.commit().await?;
    assert_eq!(new::Post::find(&pool, 2).await?.unwrap().title, "mine");
    Ok(())
}

#[tokio::test]
async fn a_document_that_cannot_be_built_for_a_read_is_an_error_with_the_reason()
-> anyhow::Result<()> {
    let pool = deployed(3).await;
    run(&pool, "UPDATE tb_post SET score = 'NaN' WHERE id = 2").await;
    let mut transaction = pool.begin().await?;
    for error in [
        new::Post::find(&pool, 2).await.unwrap_err(),
        new::Post::find_many(&pool, &[1, 2, 3]).await.unwrap_err(),
        new::Post::find(&mut transaction, 2).await.unwrap_err(),
    ] {
        assert!(matches!(error, Error::Invalid { .. }), "{error:?}");
        assert_eq!(
            error.to_string(),
            "document 2 of \"public\".\"tv_post\": score: NaN cannot be represented"
        );
    }
    // The caller's transaction is still usable.
    assert!(new::Post::find(&mut transaction, 3).await?.is_some());
    // The old release reads its stored document.
    assert!(old::Post::find(&pool, 2).await?.is_some());
    Ok(())
}

#[tokio::test]
async fn a_sync_writes_the_shape_of_its_release_even_for_equal_documents() -> anyhow::Result<()> {
    /// The same JSON by another type.
    mod nullable {
        #[derive(fraiseql_runtime::TView)]
        #[allow(dead_code)]
        pub(crate) struct Post {
            pub id: i64,
            pub title: Option<String>,
            #[tview(one(fk = "author_id"))]
            pub author: super::old::Author,
        }
    }
    let pool = deployed(2).await;
    let shape = async || -> anyhow::Result<(i64, i64)> {
        let sql = "SELECT shape, version FROM tv_post WHERE id = 1";
        Ok(sqlx::query_as(sql).fetch_one(&pool).await?)
    };
    let [old, new, nullable] = [
        old::Post::statements().shape,
        new::Post::statements().shape,
        nullable::Post::statements().shape,
    ];
    assert_eq!(shape().await?, (old, 1));
    assert_eq!(new::sync_post(&pool, &[1]).await?.updated, 1);
    assert_eq!(shape().await?, (new, 2));
    assert_eq!(new::sync_post(&pool, &[1]).await?.unchanged, 1);
    let mut transaction = pool.begin().await?;
    assert_eq!(old::sync_post(&mut transaction, &[1]).await?.updated, 1);
    transaction.commit().await?;
    assert_eq!(shape().await?, (old, 3));
    assert_eq!(nullable::sync_post(&pool, &[1]).await?.updated, 1);
    assert_eq!(nullable::sync_post(&pool, &[1]).await?.unchanged, 1);
    assert_eq!(shape().await?, (nullable, 4));
    Ok(())
}
