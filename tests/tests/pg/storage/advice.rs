//! Tests of advice: what it measures on a server, and that it leaves nothing behind.

use std::time::Duration;

use fraiseql_runtime::schema::Storage;
use fraiseql_runtime::{ReadModel, TView};
use fraiseql_tests::run;
use fraiseql_tests::world::numbered::{Author, Comment};
use sqlx::PgPool;

#[derive(TView)]
#[tview(table = "tb_post")]
#[allow(dead_code)]
struct Post {
    id: i64,
    title: String,
    #[tview(one(fk = "author_id"))]
    author: Author,
    #[tview(many(fk = "post_id"))]
    comments: Vec<Comment>,
}

/// A document that takes so long to build that no pause of the machine makes up for it.
#[derive(TView)]
#[tview(table = "tb_post", entity = "dear_post")]
#[allow(dead_code)]
struct DearPost {
    id: i64,
    #[tview(expr = "(SELECT count(*) FROM generate_series(1, 20000 + {}.id % 2))")]
    work: i64,
    #[tview(many(fk = "post_id"))]
    comments: Vec<Comment>,
}

/// 100 authors with 20 posts each, and 10 comments for each post.
const ROWS: &str = "
CREATE TABLE tb_user (id int8 PRIMARY KEY, name text NOT NULL);
CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL, author_id int8 NOT NULL);
CREATE TABLE tb_comment (id int8 PRIMARY KEY, post_id int8 NOT NULL, content text NOT NULL);
CREATE INDEX ON tb_post (author_id);
CREATE INDEX ON tb_comment (post_id);
INSERT INTO tb_user SELECT n, 'User ' || n FROM generate_series(1, 100) AS n;
INSERT INTO tb_post SELECT n, 'Post ' || n, 1 + n % 100 FROM generate_series(1, 2000) AS n;
INSERT INTO tb_comment SELECT n, 1 + n % 2000, repeat('word ', 20) FROM generate_series(1, 20000) AS n;
ANALYZE tb_user, tb_post, tb_comment";

async fn blog() -> (PgPool, ReadModel) {
    let pool = fraiseql_tests::pool().await;
    run(&pool, ROWS).await;
    (pool, ReadModel::builder().view::<Post>().build().unwrap())
}

#[tokio::test]
async fn it_finds_how_many_documents_a_change_reaches() {
    let (pool, blog) = blog().await;
    let advice = blog
        .advise(&pool)
        .reads_per_day(1e6)
        .writes_per_day("tb_user", 10.0)
        .writes_per_day("tb_post", 50.0)
        .writes_per_day("tb_comment", 900.0)
        .await
        .unwrap();
    let post = advice.of::<Post>().unwrap();
    assert_eq!(post.measured.documents, 2000);
    let mut paths: Vec<(&str, f64, f64)> = post
        .measured
        .paths
        .iter()
        .map(|path| {
            (
                path.path.as_str(),
                path.writes_per_day,
                path.fan_out.unwrap(),
            )
        })
        .collect();
    paths.sort_by(|a, b| a.0.cmp(b.0));
    assert_eq!(
        paths,
        [
            ("tb_comment.post_id -> Post.comments", 900.0, 1.0),
            ("tb_post.id -> Post", 50.0, 1.0),
            ("tb_user.id -> Post.author", 10.0, 20.0),
        ]
    );
    let documents = 900.0 + 50.0 + 200.0;
    assert!(
        advice.to_string().contains(&format!(
            "1000000 reads, 960 rows written, {documents:.0} documents changed by them"
        )),
        "{advice}"
    );
    assert!(post.measured.bytes > 500.0);
    for time in [
        post.measured.read_live,
        post.measured.read_json,
        post.measured.read_jsonb,
        post.measured.build,
        post.measured.store,
    ] {
        assert!(
            time > Duration::ZERO && time < Duration::from_secs(1),
            "{time:?}"
        );
    }
}

#[tokio::test]
async fn writes_are_those_that_the_server_has_counted() {
    let (pool, blog) = blog().await;
    // Counters of another session are written when it is idle for a while.
    for _ in 0..100 {
        let advice = blog.advise(&pool).await.unwrap();
        let post = advice.of::<Post>().unwrap();
        let path = |name: &str| {
            let mut paths = post.measured.paths.iter();
            paths.find(|path| path.path.starts_with(name)).unwrap()
        };
        let (user, comment) = (path("tb_user"), path("tb_comment"));
        let rows = comment.writes_per_day * comment.counted_days;
        if rows > 0.0 {
            assert!((rows - 20_000.0).abs() < 1.0, "{rows}");
            let rows = user.writes_per_day * user.counted_days;
            assert!((rows - 100.0).abs() < 1.0, "{rows}");
            return;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("the server has counted nothing");
}

#[tokio::test]
async fn it_leaves_nothing_behind_and_needs_no_view_table() {
    let (pool, blog) = blog().await;
    let objects =
        "SELECT count(*) FROM pg_class WHERE relname LIKE '%advise%' OR relname LIKE 'tv_%'";
    blog.advise(&pool).await.unwrap();
    let left: i64 = sqlx::query_scalar(objects).fetch_one(&pool).await.unwrap();
    assert_eq!(left, 0);
    // Twice on one connection, and with tables that are empty.
    run(&pool, "TRUNCATE tb_post, tb_user, tb_comment").await;
    let advice = blog.advise(&pool).await.unwrap();
    assert_eq!(advice.of::<Post>().unwrap().measured.paths.len(), 3);
}

#[tokio::test]
async fn what_is_asked_for_decides() {
    let (pool, _) = blog().await;
    let blog = ReadModel::builder().view::<DearPost>().build().unwrap();
    let storage = async |reads: f64, comments: f64, max_age: Option<Duration>| {
        let mut advise = blog
            .advise(&pool)
            .reads_per_day(reads)
            .writes_per_day("tb_post", 0.0)
            .writes_per_day("tb_comment", comments);
        if let Some(age) = max_age {
            advise = advise.max_age(age);
        }
        let advice = advise.await.unwrap();
        advice.of::<DearPost>().unwrap().storage
    };
    assert_eq!(storage(1e9, 10.0, None).await, Storage::Table);
    assert_eq!(storage(10.0, 1e9, None).await, Storage::Live);
    let day = Duration::from_secs(86_400);
    assert_eq!(
        storage(1e9, 1e10, Some(day)).await,
        Storage::Matview { refresh: Some(day) }
    );
}
