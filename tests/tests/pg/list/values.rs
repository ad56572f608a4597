//! Tests of filters by values of other rows, such as the tags of a join table: a promoted list of values.

use chrono::{DateTime, Utc};
use fraiseql_runtime::list::{FilterOf, List};
use fraiseql_runtime::{ReadModel, TEnum, TView};
use rust_decimal::Decimal;
use sqlx::PgPool;

const TABLES: &str = "
CREATE TABLE tb_article (id int8 PRIMARY KEY);
CREATE TABLE tb_tag (id int8 PRIMARY KEY, name text NOT NULL);
CREATE TABLE tb_article_tag (
    article_id int8 NOT NULL REFERENCES tb_article, tag_id int8 NOT NULL REFERENCES tb_tag,
    PRIMARY KEY (article_id, tag_id));
CREATE INDEX ON tb_article_tag (tag_id);
CREATE TABLE tb_review (
    id int8 PRIMARY KEY, article_id int8 NOT NULL REFERENCES tb_article, stars int4, state text NOT NULL,
    price numeric NOT NULL, written_at timestamptz NOT NULL);
CREATE INDEX ON tb_review (article_id);
INSERT INTO tb_article SELECT generate_series(1, 6000);
INSERT INTO tb_tag SELECT n, 'tag ' || n FROM generate_series(1, 300) AS n;
INSERT INTO tb_article_tag
    SELECT a, 1 + (a * 7 + i * i * 31) % 300 FROM generate_series(1, 6000) AS a, generate_series(0, a % 4) AS i
    ON CONFLICT DO NOTHING;
INSERT INTO tb_review
    SELECT n, 1 + n % 4000, nullif(n % 6, 0), CASE WHEN n % 300 = 0 THEN 'open' ELSE 'done' END, n / 100.0,
        '2026-01-01 00:00:00.123456Z'::timestamptz + n * interval '1 minute'
    FROM generate_series(1, 9000) AS n;
ANALYZE;
";

#[derive(Clone, Copy, Debug, PartialEq, TEnum)]
enum State {
    Open,
    Done,
}

macro_rules! articles {
    ($($name:ident $storage:literal $data:literal $entity:literal;)*) => {$(
        #[derive(Debug, TView)]
        #[tview(table = "tb_article", storage = $storage, data = $data, entity = $entity)]
        #[allow(dead_code)]
        struct $name {
            id: i64,
            #[tview(filter, values(
                table = "tb_tag",
                through(table = "tb_article_tag", fk = "article_id", to = "tag_id"),
                column = "name"
            ))]
            tags: Vec<String>,
            #[tview(filter, values(table = "tb_review", fk = "article_id", column = "stars", distinct))]
            stars: Vec<Option<i32>>,
            #[tview(filter, values(table = "tb_review", fk = "article_id", column = "state"))]
            states: Vec<State>,
            #[tview(filter, values(table = "tb_review", fk = "article_id", column = "price"))]
            prices: Vec<Decimal>,
            #[tview(filter, values(table = "tb_review", fk = "article_id", column = "written_at"))]
            written: Vec<DateTime<Utc>>,
        }
    )*};
}

articles! {
    Article "table" "jsonb" "article";
    TextArticle "table" "json" "text_article";
    LiveArticle "live" "jsonb" "live_article";
    OldArticle "matview" "jsonb" "old_article";
}

async fn articles() -> (PgPool, ReadModel) {
    let pool = fraiseql_tests::pool().await;
    fraiseql_tests::run(&pool, TABLES).await;
    let model = ReadModel::builder()
        .view::<Article>()
        .view::<TextArticle>()
        .view::<LiveArticle>()
        .view::<OldArticle>()
        .build()
        .unwrap();
    model.migrate(&pool).await.unwrap();
    sync_all_articles(&pool).await.unwrap();
    sync_all_text_articles(&pool).await.unwrap();
    model.refresh::<OldArticle>(&pool).await.unwrap();
    for vacuum in ["VACUUM ANALYZE tv_article", "VACUUM ANALYZE tv_old_article"] {
        sqlx::query(vacuum).execute(&pool).await.unwrap();
    }
    (pool, model)
}

async fn rows(condition: &str, pool: &PgPool) -> Vec<i64> {
    let sql = format!("SELECT id FROM tb_article AS a WHERE {condition} ORDER BY id");
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
        .fetch_all(pool)
        .await
        .unwrap()
}

async fn ids(list: &List, pool: &PgPool) -> Vec<i64> {
    let documents = list.read(pool).await.unwrap();
    let id = |json: &[u8]| {
        let document: serde_json::Value = serde_json::from_slice(json).unwrap();
        document["id"].as_i64().unwrap()
    };
    documents.iter().map(|it| id(it.json())).collect()
}

const TAGGED: &str = "EXISTS (SELECT FROM tb_article_tag AS l JOIN tb_tag AS t ON t.id = l.tag_id
    WHERE l.article_id = a.id AND t.name";
const REVIEWED: &str = "EXISTS (SELECT FROM tb_review AS r WHERE r.article_id = a.id AND";

/// Filters of a view, with the condition of the base table and the column whose index is used.
macro_rules! cases {
    ($view:ident) => {{
        let time: DateTime<Utc> = "2026-01-01T00:07:00.123456Z".parse().unwrap();
        let cases: Vec<(FilterOf<$view>, String, &str)> = vec![
            (
                $view::TAGS.contains(["tag 7", "tag 38"]),
                format!("{TAGGED} = 'tag 7') AND {TAGGED} = 'tag 38')"),
                "tags",
            ),
            (
                $view::TAGS.has_any(["tag 7", "tag 8"]),
                format!("{TAGGED} IN ('tag 7', 'tag 8'))"),
                "tags",
            ),
            (
                $view::STARS
                    .contains([3, 5])
                    .and($view::TAGS.has_any(["tag 9"])),
                format!(
                    "{REVIEWED} r.stars = 3) AND {REVIEWED} r.stars = 5) AND {TAGGED} = 'tag 9')"
                ),
                "tags",
            ),
            (
                $view::STATES.has_any([State::Open]),
                format!("{REVIEWED} r.state = 'open')"),
                "states",
            ),
            (
                $view::PRICES.has_any([Decimal::new(700, 2), Decimal::new(50, 1)]),
                format!("{REVIEWED} r.price IN (7, 5))"),
                "prices",
            ),
            (
                $view::WRITTEN.contains([time]),
                format!("{REVIEWED} r.written_at = '2026-01-01 00:07:00.123456Z')"),
                "written",
            ),
        ];
        cases
    }};
}

#[tokio::test]
async fn documents_are_found_by_values_of_other_rows() {
    let (pool, _) = articles().await;
    for (filter, condition, column) in cases!(Article) {
        let list = Article::list().filter(filter).of_any_view();
        let plan = list.explain(&pool).await.unwrap();
        let index = format!("Bitmap Index Scan on tv_article_{column}_idx");
        assert!(plan.contains(&index), "{condition}: {plan}");
        assert_eq!(
            ids(&list, &pool).await,
            rows(&condition, &pool).await,
            "{condition}"
        );
    }
    for (filter, condition, column) in cases!(OldArticle) {
        let list = OldArticle::list().filter(filter).of_any_view();
        let plan = list.explain(&pool).await.unwrap();
        let index = format!("Bitmap Index Scan on tv_old_article_{column}_idx");
        assert!(plan.contains(&index), "{condition}: {plan}");
        assert_eq!(
            ids(&list, &pool).await,
            rows(&condition, &pool).await,
            "{condition}"
        );
    }
    for (filter, condition, _) in cases!(TextArticle) {
        let list = TextArticle::list().filter(filter).of_any_view();
        assert_eq!(
            ids(&list, &pool).await,
            rows(&condition, &pool).await,
            "{condition}"
        );
    }
    for (filter, condition, _) in cases!(LiveArticle) {
        let list = LiveArticle::list().filter(filter).of_any_view();
        assert_eq!(
            ids(&list, &pool).await,
            rows(&condition, &pool).await,
            "{condition}"
        );
    }
}

#[tokio::test]
async fn the_column_has_the_values_of_the_document_after_a_change() {
    let (pool, model) = articles().await;
    let tagged = |name: &'static str| Article::list().filter(Article::TAGS.contains([name]));
    let before = tagged("tag 1").count(&pool).await.unwrap();
    assert!(before > 0 && before < 200, "{before}");

    let mut m = model.mutation(&pool).await.unwrap();
    sqlx::raw_sql(
        "DELETE FROM tb_article_tag WHERE article_id <= 100;
         INSERT INTO tb_article_tag SELECT n, 1 FROM generate_series(1, 100) AS n",
    )
    .execute(&mut *m)
    .await
    .unwrap();
    let articles: Vec<i64> = (1..=100).collect();
    m.changed_rows("tb_article_tag", "article_id", &articles)
        .unwrap();
    m.commit().await.unwrap();
    let expected = rows(&format!("{TAGGED} = 'tag 1')"), &pool).await;
    assert!(expected.len() >= 100);
    assert_eq!(ids(&tagged("tag 1").of_any_view(), &pool).await, expected);

    let mut m = model.mutation(&pool).await.unwrap();
    sqlx::raw_sql("UPDATE tb_tag SET name = 'renamed' WHERE id = 1")
        .execute(&mut *m)
        .await
        .unwrap();
    m.changed_rows("tb_tag", "id", &[1_i64]).unwrap();
    m.commit().await.unwrap();
    assert_eq!(tagged("tag 1").count(&pool).await.unwrap(), 0);
    assert_eq!(ids(&tagged("renamed").of_any_view(), &pool).await, expected);
    model.refresh::<OldArticle>(&pool).await.unwrap();
    let reports = model.verify(&pool).await.unwrap();
    assert!(reports.is_clean(), "{reports}");
}
