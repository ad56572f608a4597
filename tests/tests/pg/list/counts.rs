//! Tests of the number of a list's documents.

use chrono::{DateTime, Utc};
use fraiseql_runtime::list::{Filter, ListError, Page};
use fraiseql_runtime::{ReadModel, Readers, TView};

use super::{Post, posts, sync_post};

#[tokio::test]
async fn a_count_is_of_what_is_stored() {
    let pool = posts().await;
    let rated = Post::list().filter(Post::RATING.gte(3));
    assert_eq!(rated.count(&pool).await.unwrap(), 3);
    assert_eq!(rated.clone().limit(1).count(&pool).await.unwrap(), 3);
    assert_eq!(
        Post::list()
            .count(&Readers::lending(pool.clone()))
            .await
            .unwrap(),
        5
    );

    // In the transaction that writes.
    let mut tx = pool.begin().await.unwrap();
    sqlx::query("UPDATE tb_post SET rating = 4 WHERE id = 2")
        .execute(&mut *tx)
        .await
        .unwrap();
    sync_post(&mut tx, &[2]).await.unwrap();
    assert_eq!(rated.count(&mut tx).await.unwrap(), 4);
    assert_eq!(rated.count(&pool).await.unwrap(), 3);
    tx.rollback().await.unwrap();

    // Stale documents are found by their columns, as in a list.
    fraiseql_tests::run(&pool, "UPDATE tv_post SET shape = 1 WHERE id < 3").await;
    assert_eq!(rated.count(&pool).await.unwrap(), 3);
    let page = rated.page(Page::first(10), &pool).await.unwrap();
    assert_eq!(page.len(), 3);
}

#[tokio::test]
async fn a_count_needs_what_the_filters_name() {
    let pool = posts().await;
    let list = Post::list().filter(Filter::eq("content", "x"));
    let error = list.count(&pool).await.unwrap_err();
    assert!(matches!(error, ListError::Field { .. }), "{error:?}");
    let gone = Post::list();
    fraiseql_tests::run(&pool, "DROP TABLE tv_post").await;
    let error = gone.count(&pool).await.unwrap_err();
    assert!(error.to_string().contains("tv_post"), "{error}");
}

#[derive(TView)]
#[tview(table = "tb_post", storage = "live", entity = "live_post")]
#[allow(dead_code)]
struct LivePost {
    id: i64,
    created_at: DateTime<Utc>,
    /// Another text in each time zone.
    #[tview(filter, expr = "to_char({}.created_at, 'HH24')")]
    hour: String,
}

#[tokio::test]
async fn a_count_of_a_live_view_does_not_depend_on_the_session() {
    let pool = posts().await;
    let model = ReadModel::builder().view::<LivePost>().build().unwrap();
    model.migrate(&pool).await.unwrap();
    let morning = LivePost::list().filter(LivePost::HOUR.eq("10"));
    let mut connection = pool.acquire().await.unwrap();
    for zone in ["UTC", "Asia/Kolkata", "America/New_York"] {
        sqlx::query("SELECT set_config('TimeZone', $1, false)")
            .bind(zone)
            .execute(&mut *connection)
            .await
            .unwrap();
        assert_eq!(morning.count(&mut connection).await.unwrap(), 3, "{zone}");
        assert_eq!(LivePost::list().count(&mut connection).await.unwrap(), 5);
    }
}
