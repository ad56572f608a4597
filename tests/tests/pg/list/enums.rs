//! Enums are ordered as their variants are declared: by lists, by pages, and inside of documents.

use fraiseql_runtime::list::{List, Nulls, OrderBy, Page};
use fraiseql_runtime::{Embed, TEnum, TView};
use fraiseql_tests::{pool, run, world};
use sqlx::PgPool;

#[derive(Clone, Copy, Debug, PartialEq, Eq, TEnum)]
enum Status {
    Draft,
    InReview,
    Published,
    Archived,
}

#[derive(Debug, TView)]
struct Post {
    id: i32,
    #[tview(sort)]
    status: Status,
    #[tview(sort)]
    state: Option<Status>,
}

/// The base column is text here, and an enum type of another order there.
#[derive(Debug, TView)]
#[tview(table = "tb_author")]
struct Author {
    #[allow(dead_code)]
    id: i32,
    #[tview(many(fk = "author_id", order_by = "status DESC"))]
    posts: Vec<AuthorsPost>,
    #[tview(many(fk = "author_id", order_by = "state, id", limit = 3))]
    first: Vec<AuthorsPost>,
}

#[derive(Debug, Embed)]
#[tview(table = "tb_post")]
struct AuthorsPost {
    id: i32,
    status: Status,
    state: Option<Status>,
}

async fn posts() -> PgPool {
    let pool = pool().await;
    run(
        &pool,
        "CREATE TYPE state AS ENUM ('archived', 'draft', 'in_review', 'published');
         CREATE TABLE tb_author (id int4 PRIMARY KEY);
         CREATE TABLE tb_post (id int4 PRIMARY KEY, author_id int4 NOT NULL REFERENCES tb_author,
             status text NOT NULL, state state);
         CREATE INDEX ON tb_post (author_id);
         INSERT INTO tb_author VALUES (1);
         INSERT INTO tb_post VALUES (1, 1, 'published', 'archived'), (2, 1, 'draft', NULL),
             (3, 1, 'archived', 'draft'), (4, 1, 'in_review', 'published'), (5, 1, 'draft', 'in_review'),
             (6, 1, 'archived', 'archived')",
    )
    .await;
    world::model::<Post>().migrate(&pool).await.unwrap();
    world::model::<Author>().migrate(&pool).await.unwrap();
    sync_all_posts(&pool).await.unwrap().ensure_valid().unwrap();
    sync_all_authors(&pool)
        .await
        .unwrap()
        .ensure_valid()
        .unwrap();
    pool
}

async fn ids(pool: &PgPool, list: &List<Post>) -> Vec<i32> {
    let posts = list.fetch::<Post>(pool).await.unwrap();
    posts.iter().map(|post| post.id).collect()
}

fn orders() -> Vec<(OrderBy, Vec<i32>)> {
    vec![
        (OrderBy::asc("status"), vec![2, 5, 4, 1, 3, 6]),
        (OrderBy::desc("status"), vec![6, 3, 1, 4, 5, 2]),
        (OrderBy::asc("state"), vec![3, 5, 4, 1, 6, 2]),
        (OrderBy::desc("state"), vec![2, 6, 1, 4, 5, 3]),
        (
            OrderBy::asc("state").nulls(Nulls::First),
            vec![2, 3, 5, 4, 1, 6],
        ),
        (
            OrderBy::desc("state").nulls(Nulls::Last),
            vec![6, 1, 4, 5, 3, 2],
        ),
    ]
}

#[tokio::test]
async fn an_enum_is_ordered_as_it_is_declared() {
    let pool = posts().await;
    for (order, expected) in orders() {
        let list = Post::list().order_by(order.clone());
        assert_eq!(ids(&pool, &list).await, expected, "{order:?}");
        assert_eq!(ids(&pool, &list.limit(4)).await, expected[..4], "{order:?}");
    }
    let both = Post::list()
        .order_by(OrderBy::desc("status"))
        .order_by(OrderBy::asc("state"));
    assert_eq!(ids(&pool, &both).await, [3, 6, 1, 4, 5, 2]);
}

#[tokio::test]
async fn pages_in_the_order_of_an_enum_have_each_document_once() {
    let pool = posts().await;
    for (order, expected) in orders() {
        for size in 1..=3 {
            let list = Post::list().order_by(order.clone());
            let (mut found, mut page) = (Vec::new(), Page::first(size));
            loop {
                let read = list.page(page, &pool).await.unwrap();
                found.extend(read.items().map(|(_, document)| {
                    serde_json::from_slice::<Post>(document.json()).unwrap().id
                }));
                if !read.has_next() {
                    break;
                }
                page = Page::first(size).after(read.end().cloned());
            }
            assert_eq!(found, expected, "{order:?}, pages of {size}");
            let (mut found, mut page) = (Vec::new(), Page::last(size));
            loop {
                let read = list.page(page, &pool).await.unwrap();
                let ids = read.items().map(|(_, document)| {
                    serde_json::from_slice::<Post>(document.json()).unwrap().id
                });
                found.splice(0..0, ids.collect::<Vec<_>>());
                if !read.has_previous() {
                    break;
                }
                page = Page::last(size).before(read.start().cloned());
            }
            assert_eq!(found, expected, "{order:?}, pages of {size} from the end");
        }
    }
}

#[tokio::test]
async fn a_name_that_another_release_has_stored_is_last_and_not_lost() {
    let pool = posts().await;
    run(
        &pool,
        "UPDATE tv_post SET status = 'REMOVED' WHERE id IN (2, 4)",
    )
    .await;
    let list = Post::list().order_by(OrderBy::asc("status"));
    let (mut found, mut page) = (Vec::new(), Page::first(1));
    loop {
        let read = list.page(page, &pool).await.unwrap();
        found.extend(read.items().map(|(_, document)| {
            serde_json::from_slice::<serde_json::Value>(document.json()).unwrap()["id"].clone()
        }));
        if !read.has_next() {
            break;
        }
        page = Page::first(1).after(read.end().cloned());
    }
    assert_eq!(
        serde_json::json!(found),
        serde_json::json!([5, 1, 3, 6, 2, 4])
    );
}

#[tokio::test]
async fn lists_in_documents_have_the_order_of_the_declaration() {
    let pool = posts().await;
    let author = Author::find(&pool, 1).await.unwrap().unwrap();
    let ids = |posts: &[AuthorsPost]| posts.iter().map(|post| post.id).collect::<Vec<_>>();
    assert_eq!(ids(&author.posts), [3, 6, 1, 4, 2, 5]);
    assert_eq!(ids(&author.first), [3, 5, 4]);
    assert_eq!(author.posts[0].status, Status::Archived);
    assert_eq!(author.first[0].state, Some(Status::Draft));
}

#[tokio::test]
async fn a_page_in_the_order_of_an_enum_starts_in_an_index() {
    let pool = posts().await;
    run(
        &pool,
        "INSERT INTO tb_post SELECT i, 1, (ARRAY['draft', 'in_review', 'published', 'archived'])[i % 4 + 1],
             (ARRAY['draft', NULL, 'published'])[i % 3 + 1]::state
         FROM generate_series(100, 20099) AS i",
    )
    .await;
    sync_all_posts(&pool).await.unwrap();
    run(&pool, "ANALYZE tv_post").await;
    for field in ["status", "state"] {
        for order in [OrderBy::asc(field), OrderBy::desc(field)] {
            let list = Post::list().order_by(order.clone());
            let first = list.page(Page::first(5), &pool).await.unwrap();
            let next = Page::first(5).after(first.end().cloned());
            for page in [Page::first(5), next] {
                let plan = list.explain_page(page, &pool).await.unwrap();
                assert!(
                    plan.contains(&format!("tv_post_{field}_declaration_idx")),
                    "{order:?}: {plan}"
                );
                assert!(!plan.contains("Seq Scan"), "{order:?}: {plan}");
            }
        }
    }
    // A filter uses the index of the column.
    let rare = Post::list()
        .filter(fraiseql_runtime::list::Filter::eq("status", "DRAFT"))
        .limit(5);
    let plan = rare.explain(&pool).await.unwrap();
    assert!(!plan.contains("Seq Scan"), "{plan}");
}

#[tokio::test]
async fn migrate_adds_the_index_to_an_older_table_and_reports_a_changed_enum() {
    let pool = posts().await;
    let model = world::model::<Post>();
    assert!(model.migration_plan(&pool).await.unwrap().is_empty());
    run(&pool, "DROP INDEX tv_post_status_declaration_idx").await;
    let migration = model.migrate(&pool).await.unwrap();
    assert_eq!(
        migration.created,
        ["index \"public\".\"tv_post_status_declaration_idx\""]
    );
    assert!(migration.drift.is_empty(), "{migration}");
}
