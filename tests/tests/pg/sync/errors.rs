//! Tests that database errors say what to do: migrate, check, or pass the transaction.

use std::time::Duration;

use fraiseql_runtime::{Error, TView};
use fraiseql_tests::{database, run, world};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

const TABLES: &str = "
CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL, code text NOT NULL);
INSERT INTO tb_post VALUES (1, 'One', 'a');
";

#[derive(Debug, TView)]
#[allow(dead_code)]
struct Post {
    id: i64,
    #[tview(filter)]
    title: String,
    #[tview(unique)]
    code: String,
}

async fn migrate(pool: &PgPool) {
    let model = world::model::<Post>();
    model.migrate(pool).await.unwrap();
}

/// The errors of every public operation.
async fn failures(pool: &PgPool) -> Vec<String> {
    let mut errors: Vec<Error> = Vec::new();
    errors.extend(sync_post(pool, &[1]).await.err());
    errors.extend(sync_all_posts(pool).await.err());
    errors.extend(delete_post(pool, &[1]).await.err());
    let mut tx = pool.begin().await.unwrap();
    errors.extend(sync_post(&mut tx, &[1]).await.err());
    drop(tx);
    errors.extend(Post::find(pool, 1).await.err());
    errors.extend(Post::find_json(pool, 1).await.err());
    errors.extend(Post::find_many(pool, &[1]).await.err());
    errors.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn without_a_migration_every_error_says_to_migrate() {
    let pool = fraiseql_tests::pool().await;
    run(&pool, TABLES).await;
    let errors = failures(&pool).await;
    assert_eq!(errors.len(), 7, "{errors:#?}");
    for (index, error) in errors.iter().enumerate() {
        let end = if index == 1 {
            "run ReadModel::check to see what is missing; ReadModel::migrate creates view tables"
        } else {
            "run ReadModel::migrate"
        };
        let end = format!("relation \"public.tv_post\" does not exist; {end}");
        assert!(error.ends_with(&end), "{error}");
    }
    assert_eq!(
        errors[0],
        "syncing \"public\".\"tv_post\": error returned from database: relation \
         \"public.tv_post\" does not exist; run ReadModel::migrate"
    );
    // The advice works.
    migrate(&pool).await;
    assert_eq!(failures(&pool).await, Vec::<String>::new());
}

#[tokio::test]
async fn errors_of_an_older_view_table_say_to_migrate() {
    for column in ["title", "code"] {
        let pool = fraiseql_tests::pool().await;
        run(&pool, TABLES).await;
        migrate(&pool).await;
        let sql = match column {
            "title" => "ALTER TABLE tv_post DROP COLUMN title",
            _ => "ALTER TABLE tv_post DROP COLUMN code",
        };
        run(&pool, sql).await;
        let errors = failures(&pool).await;
        assert_eq!(errors.len(), 3, "{errors:#?}");
        for error in errors {
            assert!(error.contains(column), "{error}");
            assert!(
                error.ends_with(" does not exist; run ReadModel::migrate"),
                "{error}"
            );
        }
    }
}

#[tokio::test]
async fn errors_of_a_mismatched_base_table_say_to_check() {
    for fault in [
        "DROP TABLE tb_post",
        "ALTER TABLE tb_post RENAME title TO name",
        "ALTER TABLE tb_post RENAME id TO nr",
        "ALTER TABLE tb_post ALTER COLUMN id TYPE text",
    ] {
        let pool = fraiseql_tests::pool().await;
        run(&pool, TABLES).await;
        migrate(&pool).await;
        run(&pool, fault).await;
        let errors = failures(&pool).await;
        assert_eq!(errors.len(), 3, "{fault} {errors:#?}");
        for error in errors {
            assert!(
                error.ends_with("; run ReadModel::check to see what does not fit"),
                "{fault}: {error}"
            );
            assert!(!error.contains("at line"), "{error}");
        }
    }
}

#[tokio::test]
async fn a_timeout_caused_by_the_callers_own_transaction_says_so() {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(Duration::from_millis(200))
        .connect_with(database().await)
        .await
        .unwrap();
    run(&pool, TABLES).await;
    migrate(&pool).await;
    let mut tx = pool.begin().await.unwrap();
    let said = "pool timed out while waiting for an open connection; if this task holds a \
                transaction, pass `&mut tx`";
    let error = sync_post(&pool, &[1]).await.unwrap_err().to_string();
    assert_eq!(error, format!("acquiring a connection to sync: {said}"));
    let error = Post::find(&pool, 1).await.unwrap_err().to_string();
    assert!(error.ends_with(said), "{error}");
    // The advice works.
    sync_post(&mut tx, &[1]).await.unwrap();
    tx.commit().await.unwrap();
    assert!(Post::find(&pool, 1).await.unwrap().is_some());
}
