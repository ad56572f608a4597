//! Tests that PostgreSQL reads a page of many documents from an index, without a sort, at any
//! depth.

use chrono::{DateTime, Utc};
use fraiseql_runtime::TView;
use fraiseql_runtime::list::{Filter, List, Nulls, Operator, OrderBy, Page};
use fraiseql_tests::world;
use sqlx::PgPool;

const TABLES: &str = "
CREATE TABLE tb_post (
    id int8 PRIMARY KEY, author_id int4 NOT NULL, rating int4, published boolean NOT NULL,
    created_at timestamptz NOT NULL);
INSERT INTO tb_post
    SELECT n, n % 500, nullif(n % 100, 0), n % 10 > 0, '2026-01-01T00:00:00Z'::timestamptz + n / 3 * interval '1 minute'
    FROM generate_series(1, 30000) AS n;
";

#[derive(Debug, TView)]
#[tview(index(on = "author_id, created_at DESC"))]
struct Post {
    id: i64,
    #[tview(filter)]
    author_id: i32,
    #[tview(sort)]
    rating: Option<i32>,
    #[tview(filter)]
    published: bool,
    #[tview(sort)]
    created_at: DateTime<Utc>,
}

async fn posts() -> PgPool {
    let pool = fraiseql_tests::pool().await;
    fraiseql_tests::run(&pool, TABLES).await;
    let model = world::model::<Post>();
    model.migrate(&pool).await.unwrap();
    sync_all_posts(&pool).await.unwrap();
    fraiseql_tests::run(&pool, "ANALYZE tv_post").await;
    pool
}

/// Pages of a list: at both ends, and deep in it in both directions.
async fn pages(list: &List<Post>, pool: &PgPool) -> [Page; 4] {
    let page = list.page(Page::first(15_000), pool).await.unwrap();
    let cursor = page.end().unwrap().clone();
    [
        Page::first(20),
        Page::last(20),
        Page::first(20).after(cursor.clone()),
        Page::last(20).before(cursor),
    ]
}

/// The plan nodes above each index scan.
fn above_scans(plan: &str) -> Vec<&str> {
    let lines: Vec<&str> = plan.lines().collect();
    let is_scan = |line: &&str| line.contains("Scan") && !line.contains("Subquery Scan");
    let scans = (0..lines.len()).filter(|index| is_scan(&lines[*index]));
    scans
        .map(|scan| {
            assert!(lines[scan].contains("Index Scan"), "{plan}");
            let above = lines[scan - 1].trim_start_matches([' ', '-', '>']);
            above.split_once(' ').unwrap().0
        })
        .collect()
}

#[tokio::test]
async fn a_page_is_read_from_the_index_up_to_its_limit() {
    let pool = posts().await;
    let by = |order| Post::list().order_by(order);
    for list in [
        Post::list(),
        by(OrderBy::desc("id")),
        by(OrderBy::asc("createdAt")),
        by(OrderBy::desc("createdAt")),
        by(OrderBy::asc("rating")),
        by(OrderBy::desc("rating")),
        by(OrderBy::asc("rating").nulls(Nulls::First)),
        by(OrderBy::desc("rating").nulls(Nulls::Last)),
    ] {
        for page in pages(&list, &pool).await {
            let bounded = page != Page::first(20) && page != Page::last(20);
            let plan = list.explain_page(page, &pool).await.unwrap();
            for above in above_scans(&plan) {
                assert!(["Limit", "Result"].contains(&above), "{plan}");
            }
            assert!(!plan.contains("Filter"), "{plan}");
            assert!(!bounded || plan.contains("Index Cond"), "{plan}");
        }
        let plan = list.clone().limit(20).explain(&pool).await.unwrap();
        let above = above_scans(&plan);
        assert!(!above.contains(&"Sort"), "{plan}");
    }
}

#[tokio::test]
async fn a_page_among_nulls_is_read_from_the_index() {
    let pool = posts().await;
    for (list, page) in [
        (OrderBy::asc("rating"), Page::last(50)),
        (OrderBy::desc("rating"), Page::first(50)),
        (OrderBy::desc("rating").nulls(Nulls::Last), Page::last(50)),
    ]
    .map(|(order, page)| (Post::list().order_by(order), page))
    {
        let found = list.page(page.clone(), &pool).await.unwrap();
        let next = match page == Page::first(50) {
            true => Page::first(50).after(found.end().cloned()),
            false => Page::last(50).before(found.start().cloned()),
        };
        let plan = list.explain_page(next, &pool).await.unwrap();
        let condition = plan
            .lines()
            .find(|line| line.contains("Index Cond"))
            .unwrap();
        assert!(
            condition.contains("rating IS NULL") && condition.contains("(id "),
            "{plan}"
        );
        assert!(!plan.contains("Filter"), "{plan}");
        assert!(
            above_scans(&plan).iter().all(|above| *above != "Sort"),
            "{plan}"
        );
    }
}

#[tokio::test]
async fn an_order_of_several_columns_uses_the_index_of_the_first() {
    let pool = posts().await;
    let list = Post::list()
        .order_by(OrderBy::desc("rating"))
        .order_by(OrderBy::asc("createdAt"));
    let [first, .., after, _] = pages(&list, &pool).await;
    let plan = list.explain_page(first, &pool).await.unwrap();
    assert_eq!(above_scans(&plan), ["Presorted"], "{plan}");
    let plan = list.explain_page(after, &pool).await.unwrap();
    assert_eq!(above_scans(&plan), ["Presorted"], "{plan}");
    assert!(plan.contains("Index Cond: (rating <= 51)"), "{plan}");
}

#[tokio::test]
async fn one_index_serves_the_filter_and_the_order() {
    let pool = posts().await;
    let list = Post::list()
        .filter(Filter::eq("authorId", 7))
        .order_by(OrderBy::desc("createdAt"));
    let page = list.page(Page::first(20), &pool).await.unwrap();
    let next = Page::first(20).after(page.end().cloned());
    let plan = list.explain_page(next, &pool).await.unwrap();
    let condition = plan
        .lines()
        .find(|line| line.contains("Index Cond"))
        .unwrap();
    assert!(
        condition.contains("author_id = 7") && condition.contains("created_at <= "),
        "{plan}"
    );
    let keys = Filter::compare("id", Operator::In, vec![1, 20_000, 300]);
    let plan = Post::list().filter(keys).explain(&pool).await.unwrap();
    assert!(plan.contains("Index Cond: (id = ANY"), "{plan}");
}

/// A prepared statement that runs repeatedly gets a generic plan: its limit is part of the text, so
/// the plan for unknown values is as good as the one for these. Its speed is asserted, too.
#[tokio::test]
async fn a_generic_plan_is_as_good_as_a_custom_one() {
    fraiseql_tests::needs_sessions();
    let pool = posts().await;
    let mut connection = pool.acquire().await.unwrap();
    for order in [
        OrderBy::desc("createdAt"),
        OrderBy::asc("createdAt"),
        OrderBy::asc("id"),
    ] {
        let list = Post::list().order_by(order);
        let mut cursor = None;
        for _ in 0..12 {
            let page = Page::first(20).after(cursor);
            let page = list.page(page, &mut connection).await.unwrap();
            cursor = page.end().cloned();
        }
    }
    let statements: Vec<(String, String, i64, i64, i32)> = sqlx::query_as(
        "SELECT name, statement, generic_plans, custom_plans, cardinality(parameter_types)
         FROM pg_prepared_statements
         WHERE statement LIKE E'SELECT\\n  CASE WHEN v.shape = %'",
    )
    .fetch_all(&mut *connection)
    .await
    .unwrap();
    // Each form of a list is prepared once: a first page, and one after a cursor.
    assert_eq!(statements.len(), 6, "{statements:#?}");
    sqlx::query("SET plan_cache_mode = force_generic_plan")
        .execute(&mut *connection)
        .await
        .unwrap();
    for (name, statement, generic, custom, parameters) in statements {
        let is_next = parameters > 0;
        assert_eq!(
            (generic, custom),
            if is_next { (6, 5) } else { (1, 0) },
            "{statement}"
        );
        let nulls = vec!["NULL"; parameters.unsigned_abs() as usize].join(", ");
        let values = if is_next {
            format!(" ({nulls})")
        } else {
            nulls
        };
        let sql = format!("EXPLAIN EXECUTE {name}{values}");
        let plan: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .fetch_all(&mut *connection)
            .await
            .unwrap();
        let plan = plan.join("\n");
        assert!(
            plan.contains("Index Scan") && !plan.contains("Sort  (") && !plan.contains("Seq Scan"),
            "{plan}"
        );
        assert!(!is_next || plan.contains("Index Cond"), "{plan}");
    }
}

#[tokio::test]
async fn the_sql_of_lists() {
    let pool = fraiseql_tests::pool().await;
    fraiseql_tests::run(&pool, TABLES).await;
    let model = world::model::<Post>();
    model.migrate(&pool).await.unwrap();
    sync_post(&pool, &[1, 2, 3, 100]).await.unwrap();

    let mine = Filter::all([
        Filter::compare("authorId", Operator::In, vec![1, 2]),
        Filter::not(Filter::any([
            Filter::compare("rating", Operator::Lt, 3),
            Filter::compare("createdAt", Operator::Gte, "2026-01-01T00:00:00Z"),
        ])),
    ]);
    let list = Post::list()
        .filter(Filter::eq("published", true))
        .filter(mine)
        .order_by(OrderBy::desc("createdAt"))
        .limit(20)
        .offset(40);
    insta::assert_snapshot!("list", list.sql().unwrap());
    list.read(&pool).await.unwrap();

    for (name, list) in [
        ("key", Post::list()),
        ("desc", Post::list().order_by(OrderBy::desc("createdAt"))),
        ("asc", Post::list().order_by(OrderBy::asc("createdAt"))),
        (
            "two_columns",
            Post::list()
                .order_by(OrderBy::desc("rating").nulls(Nulls::Last))
                .order_by(OrderBy::asc("createdAt")),
        ),
    ] {
        let found = list.page(Page::first(2), &pool).await.unwrap();
        let page = Page::first(20).after(found.end().cloned());
        insta::assert_snapshot!(format!("page_by_{name}"), list.page_sql(&page).unwrap());
        list.page(page, &pool).await.unwrap();
    }
}
