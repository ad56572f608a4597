//! Tests of tables on another server, by `postgres_fdw`.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use fraiseql_runtime::check::FindingKind;
use fraiseql_runtime::list::Filter;
use fraiseql_runtime::{Embed, ReadModel, TView};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, PgPool};

#[derive(Debug, TView)]
#[allow(dead_code)]
struct Post {
    id: i64,
    #[tview(filter, sort)]
    title: String,
    #[tview(one(fk = "author_id"))]
    author: Author,
}

#[derive(Debug, Embed)]
#[tview(table = "tb_user")]
struct Author {
    id: i64,
    name: String,
}

#[derive(Debug, TView)]
struct User {
    id: i64,
    name: String,
}

fn model() -> ReadModel {
    ReadModel::builder()
        .view::<Post>()
        .view::<User>()
        .build()
        .unwrap()
}

/// Makes the tables of `far` known in the database of `near`.
async fn import(near: &PgPool, far: &PgConnectOptions, tables: &str) {
    let sql = format!(
        "CREATE EXTENSION postgres_fdw;
         CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw
             OPTIONS (host '{}', port '{}', dbname '{}', use_remote_estimate 'true');
         CREATE USER MAPPING FOR CURRENT_USER SERVER far OPTIONS (user '{}', password_required 'false');
         IMPORT FOREIGN SCHEMA public LIMIT TO ({tables}) FROM SERVER far INTO public",
        far.get_socket().map_or(far.get_host().to_owned(), |path| path.display().to_string()),
        far.get_port(),
        far.get_database().unwrap(),
        far.get_username(),
    );
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(near)
        .await
        .unwrap();
}

/// Users on one server, their posts on the other: the pools of both.
async fn two_servers() -> Option<(PgPool, PgPool)> {
    if !fraiseql_tests::has_extension("postgres_fdw").await {
        return None;
    }
    let options = fraiseql_tests::direct_database().await;
    let far = fraiseql_tests::pool_of(options.clone()).await;
    fraiseql_tests::run(
        &far,
        "CREATE TABLE tb_user (id int8 PRIMARY KEY, name text NOT NULL);
         INSERT INTO tb_user SELECT i, 'User ' || i FROM generate_series(1, 3) AS i",
    )
    .await;
    let near = fraiseql_tests::pool().await;
    import(&near, &options, "tb_user").await;
    fraiseql_tests::run(
        &near,
        "CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL, author_id int8 NOT NULL);
         CREATE INDEX ON tb_post (author_id);
         INSERT INTO tb_post SELECT i, 'Post ' || i, 1 + i % 3 FROM generate_series(1, 30) AS i",
    )
    .await;
    Some((near, far))
}

#[tokio::test]
async fn rows_of_another_server_are_in_documents() {
    let Some((pool, far)) = two_servers().await else {
        return;
    };
    let model = model();
    model.migrate(&pool).await.unwrap();
    let check = model.check(&pool).await.unwrap();
    let mut foreign = check.findings().iter();
    assert!(
        foreign
            .any(|it| it.kind == FindingKind::NotATable && it.message.contains("a foreign table")),
        "{check}"
    );
    model.sync_all(&pool).await.unwrap();

    // Written through the foreign table, by one mutation at a time ..
    let mut m = model.mutation(&pool).await.unwrap();
    rename(&mut *m, 1, "Ada").await;
    m.changed::<User>(&[1]);
    m.commit().await.unwrap();
    assert_eq!(
        Post::find(&pool, 3).await.unwrap().unwrap().author.name,
        "Ada"
    );
    assert_eq!(User::find(&pool, 1).await.unwrap().unwrap().name, "Ada");

    // .. or on its own server, and then marked,
    rename(&far, 1, "Bob").await;
    let mut m = model.mutation(&pool).await.unwrap();
    m.changed::<User>(&[1]);
    m.commit().await.unwrap();
    assert_eq!(
        Post::find(&pool, 3).await.unwrap().unwrap().author.name,
        "Bob"
    );

    // .. or forgotten, and found.
    rename(&far, 1, "Eve").await;
    assert!(!model.verify(&pool).await.unwrap().is_clean());
    model.verify(&pool).repair().await.unwrap();
    assert!(model.verify(&pool).await.unwrap().is_clean());
}

async fn rename<'e>(to: impl sqlx::PgExecutor<'e>, user: i64, name: &str) {
    sqlx::query("UPDATE tb_user SET name = $2 WHERE id = $1")
        .bind(user)
        .bind(name)
        .execute(to)
        .await
        .unwrap();
}

#[derive(Debug, TView)]
#[tview(table = "tb_pair")]
struct Pair {
    id: i64,
    #[tview(one(fk = "left_id"))]
    left: Author,
    #[tview(one(fk = "right_id"))]
    right: Author,
}

/// A pair of the users 1 and 2, with a document.
async fn pair(pool: &PgPool) -> ReadModel {
    fraiseql_tests::run(
        pool,
        "CREATE TABLE tb_pair (id int8 PRIMARY KEY, left_id int8 NOT NULL, right_id int8 NOT NULL);
         INSERT INTO tb_pair VALUES (1, 1, 2)",
    )
    .await;
    let model = ReadModel::builder().view::<Pair>().build().unwrap();
    model.migrate(pool).await.unwrap();
    model.sync_all(pool).await.unwrap();
    model
}

#[tokio::test(flavor = "multi_thread")]
async fn syncs_after_commits_on_the_other_server_lose_nothing() {
    const ROUNDS: usize = 150;
    let Some((pool, far)) = two_servers().await else {
        return;
    };
    let model = pair(&pool).await;
    let count = AtomicU64::new(0);
    for round in 0..ROUNDS {
        let write = |user| {
            let (pool, far, count) = (&pool, &far, &count);
            async move {
                let pause = rand::random_range(0..3000);
                tokio::time::sleep(Duration::from_micros(pause)).await;
                let number = count.fetch_add(1, Ordering::Relaxed);
                rename(far, user, &format!("Name {number}")).await;
                sync_pair(pool, &[1]).await.unwrap();
            }
        };
        futures_util::join!(write(1), write(2), write(1), write(2));
        let verified = model.verify(&pool).await.unwrap();
        assert!(verified.is_clean(), "round {round}: {verified:?}");
    }
}

/// `postgres_fdw` keeps one snapshot for the whole transaction. A sync there locks the rows that it reads, and so
/// finds out that they have changed since.
#[tokio::test]
async fn a_sync_in_a_transaction_that_is_older_than_the_change_fails() {
    let Some((pool, far)) = two_servers().await else {
        return;
    };
    let model = pair(&pool).await;
    let mut tx = pool.begin().await.unwrap();
    sqlx::query("SELECT count(*) FROM tb_user")
        .execute(&mut *tx)
        .await
        .unwrap();
    rename(&far, 1, "Ada").await;
    sync_pair(&pool, &[1]).await.unwrap();
    let error = sync_pair(&mut tx, &[1]).await.unwrap_err();
    assert!(error.is_retryable(), "{error:?}");
    tx.rollback().await.unwrap();
    assert_eq!(
        Pair::find(&pool, 1).await.unwrap().unwrap().left.name,
        "Ada"
    );
    assert!(model.verify(&pool).await.unwrap().is_clean());
}

#[tokio::test]
async fn documents_are_read_on_another_server() {
    let Some((far, _users)) = two_servers().await else {
        return;
    };
    let model = model();
    model.migrate(&far).await.unwrap();
    model.sync_all(&far).await.unwrap();
    let near = fraiseql_tests::pool().await;
    import(&near, &far.connect_options(), "tv_post").await;
    assert_eq!(Post::find(&near, 3).await.unwrap().unwrap().title, "Post 3");
    let list = Post::list().filter(Filter::eq("title", "Post 3")).limit(2);
    assert_eq!(list.fetch::<Post>(&near).await.unwrap().len(), 1);

    // The key goes to that server, in place of the whole table.
    let find = Post::statements().read.find.as_str();
    let plan: Vec<String> = sqlx::query_scalar(AssertSqlSafe(format!("EXPLAIN (VERBOSE) {find}")))
        .bind([3_i64])
        .fetch_all(&near)
        .await
        .unwrap();
    let plan = plan.join("\n");
    assert!(
        plan.contains("Remote SQL: SELECT") && plan.contains("WHERE ((id = "),
        "{plan}"
    );
}

#[derive(Debug, TView)]
#[tview(table = "tb_post", storage = "live")]
struct LivePost {
    id: i64,
    #[tview(one(fk = "author_id"))]
    author: Author,
}

#[tokio::test]
async fn live_documents_show_the_other_server_as_it_is() {
    let Some((pool, far)) = two_servers().await else {
        return;
    };
    rename(&far, 1, "Ada").await;
    let post = LivePost::find(&pool, 3).await.unwrap().unwrap();
    assert_eq!(
        (post.id, post.author.id, post.author.name.as_str()),
        (3, 1, "Ada")
    );
}
