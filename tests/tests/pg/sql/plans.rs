//! Tests that statements which are sent again are not planned again.

use fraiseql_runtime::TView;
use fraiseql_runtime::list::{Filter, Page};
use fraiseql_tests::world::blog;
use fraiseql_tests::world::blog::Post;
use sqlx::PgConnection;

/// The same rows, built when they are read.
mod live {
    use fraiseql_runtime::TView;
    use fraiseql_tests::world::blog::{Author, PostComment};
    use uuid::Uuid;

    #[derive(Debug, TView)]
    #[tview(storage = "live", table = "tb_post")]
    #[allow(dead_code)]
    pub(super) struct Reading {
        pub(super) id: Uuid,
        pub(super) title: String,
        #[tview(one(fk = "author_id"))]
        pub(super) author: Author,
        #[tview(many(fk = "post_id", order_by = "created_at DESC", limit = 50))]
        pub(super) comments: Vec<PostComment>,
    }
}

/// What an application sends again and again, with few keys: with many, the general plan is cheaper anyway.
async fn send_all(connection: &mut PgConnection, round: u32) {
    let key = |n: u32| blog::post(1 + (round * 7 + n) % 2_000);
    let few = [key(1), key(2), key(3)];
    blog::sync_post(&mut *connection, &[key(1)]).await.unwrap();
    blog::sync_post(&mut *connection, &few).await.unwrap();
    Post::find(&mut *connection, key(1)).await.unwrap().unwrap();
    Post::find_many(&mut *connection, &few).await.unwrap();
    live::Reading::find(&mut *connection, key(1))
        .await
        .unwrap()
        .unwrap();
    live::Reading::find_many(&mut *connection, &few)
        .await
        .unwrap();
    let list = Post::list().limit(3);
    list.read(&mut *connection).await.unwrap();
    let page = list.clone().filter(Filter::eq("id", key(1).to_string()));
    page.read(&mut *connection).await.unwrap();
    let first = Post::list()
        .page(Page::first(2), &mut *connection)
        .await
        .unwrap();
    let next = Page::first(2).after(first.end().cloned());
    Post::list().page(next, &mut *connection).await.unwrap();
    // Stale documents are built.
    sqlx::raw_sql("UPDATE tv_post SET shape = shape + 1")
        .execute(&mut *connection)
        .await
        .unwrap();
    Post::find_many(&mut *connection, &few).await.unwrap();
    sqlx::raw_sql("UPDATE tv_post SET shape = shape - 1")
        .execute(&mut *connection)
        .await
        .unwrap();
}

#[tokio::test]
async fn no_statement_is_planned_for_each_execution() {
    fraiseql_tests::needs_sessions();
    // Among few rows, a look-up costs so little that planning again never pays.
    let pool = blog::migrated(2_000).await;
    blog::sync_all_posts(&pool).await.unwrap();
    fraiseql_tests::run(&pool, "ANALYZE").await;
    let mut connection = pool.acquire().await.unwrap();
    for round in 0..12 {
        send_all(&mut connection, round).await;
    }
    // PostgreSQL plans the first five executions for their values, and compares the costs then.
    let planned: Vec<(String, i64, i64)> = sqlx::query_as(
        "SELECT statement, generic_plans, custom_plans FROM pg_prepared_statements
         WHERE generic_plans + custom_plans >= 10 ORDER BY prepare_time",
    )
    .fetch_all(&mut *connection)
    .await
    .unwrap();
    assert!(planned.len() >= 8, "{planned:#?}");
    for (statement, generic, custom) in planned {
        assert!(generic > 0 && custom <= 5, "{custom} plans: {statement}");
    }
}
