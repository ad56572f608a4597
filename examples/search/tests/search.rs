//! The index has what PostgreSQL finds, also if its process is killed again and again.

use std::collections::BTreeSet;
use std::future::pending;
use std::path::Path;
use std::time::Duration;

use dev_postgres::Server;
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use search::index::Index;
use sqlx::PgPool;

async fn database(articles: i32) -> PgPool {
    let server = Server::shared().unwrap();
    let options = server.create_database().await.unwrap();
    let pool = PgPool::connect_with(options).await.unwrap();
    search::create(&pool, articles).await.unwrap();
    pool
}

/// What the database finds in the base tables.
async fn in_database(pool: &PgPool, word: &str) -> BTreeSet<String> {
    let sql = "SELECT a.id::text FROM tb_article AS a JOIN tb_author AS u ON u.id = a.author_id
        WHERE a.title || ' ' || a.body || ' ' || u.name ~* ('\\y' || $1 || '\\y')";
    let found: Vec<String> = sqlx::query_scalar(sql)
        .bind(word)
        .fetch_all(pool)
        .await
        .unwrap();
    found.into_iter().collect()
}

fn in_index(path: &Path, word: &str) -> BTreeSet<String> {
    let index = Index::open(path).unwrap();
    index.search(word).into_iter().map(str::to_owned).collect()
}

async fn drain(pool: &PgPool, path: &Path) {
    let index = Index::open(path).unwrap();
    let sink = search::model().unwrap().sink(pool, "articles");
    sink.drain(index).await.unwrap();
}

#[tokio::test]
async fn what_plain_sql_changes_is_found() {
    let pool = database(60).await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("index.json");
    drain(&pool, &path).await;
    for word in ["ada", "relational", "machine", "nothing"] {
        assert_eq!(
            in_index(&path, word),
            in_database(&pool, word).await,
            "{word}"
        );
    }
    let index = Index::open(&path).unwrap();
    assert_eq!(
        index.search("Lovelace RELATIONAL"),
        ["21", "33", "45", "57", "9"]
    );
    sqlx::raw_sql(
        "UPDATE tb_author SET name = 'Ada King' WHERE id = 2;
         DELETE FROM tb_article WHERE id < 10;
         INSERT INTO tb_article VALUES (1000, 'Nothing new', 'under the sun', 3)",
    )
    .execute(&pool)
    .await
    .unwrap();
    drain(&pool, &path).await;
    for word in ["ada", "king", "codd", "relational", "nothing"] {
        assert_eq!(
            in_index(&path, word),
            in_database(&pool, word).await,
            "{word}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_again_and_again_it_goes_on_where_it_was() {
    let pool = database(300).await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("index.json");
    let mut rng = SmallRng::seed_from_u64(4);
    for round in 0..60 {
        let index = Index::open(&path).unwrap();
        let sink = search::model().unwrap().sink(&pool, "articles");
        let sink = sink.max_wait(Duration::from_millis(10));
        let running = tokio::spawn(sink.run(index, pending()));
        for _ in 0..rng.random_range(1..4) {
            let sql = match rng.random_range(0..3) {
                0 => "UPDATE tb_article SET title = 'Title ' || $2 WHERE id = $1",
                1 => "DELETE FROM tb_article WHERE id = $1 AND $2 > 0",
                _ => "UPDATE tb_author SET name = 'Author ' || $2 WHERE id = $1 % 3 + 1",
            };
            let update = sqlx::query(sql)
                .bind(rng.random_range(1..=300_i64))
                .bind(round);
            update.execute(&pool).await.unwrap();
            tokio::time::sleep(Duration::from_millis(rng.random_range(0..40))).await;
        }
        running.abort();
        assert!(running.await.is_err());
        // As after the time for which a process that was killed holds the sink.
        let sql = "UPDATE fraiseql_feed SET held_until = now() - interval '1 s' WHERE name = 'sink articles'";
        sqlx::query(sql).execute(&pool).await.unwrap();
    }
    drain(&pool, &path).await;
    for word in ["author", "title", "59", "58", "40", "machine"] {
        assert_eq!(
            in_index(&path, word),
            in_database(&pool, word).await,
            "{word}"
        );
    }
}
