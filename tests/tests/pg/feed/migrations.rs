//! Tests of the tables and triggers of the feed.

use fraiseql_runtime::feed::DocumentChange;
use fraiseql_runtime::{ReadModel, TView};
use sqlx::AssertSqlSafe;

use super::{Post, model, next, start, sync_post, world};

#[tokio::test]
async fn a_migration_creates_what_is_missing_and_nothing_twice() {
    let (pool, model) = world().await;
    assert_eq!(model.migrate(&pool).await.unwrap().created, [""; 0]);
    assert_eq!(model.migration_plan(&pool).await.unwrap(), [""; 0]);

    fraiseql_tests::run(
        &pool,
        "DROP TABLE fraiseql_document_change;
         ALTER TABLE tv_ticket DISABLE TRIGGER ALL",
    )
    .await;
    let name: String = sqlx::query_scalar(
        "SELECT tgname::text FROM pg_trigger WHERE tgrelid = 'tv_post'::regclass AND tgname LIKE 'fraiseql_feed_update%'",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    let drop = format!("DROP TRIGGER {name} ON tv_post");
    sqlx::raw_sql(AssertSqlSafe(drop))
        .execute(&pool)
        .await
        .unwrap();
    let migration = model.migrate(&pool).await.unwrap();
    assert_eq!(
        migration.created,
        [
            r#"table "public"."fraiseql_document_change""#,
            r#"triggers of "public"."tv_post""#
        ]
    );
    assert_eq!(migration.drift.len(), 5, "{:?}", migration.drift);
    for drift in migration.drift {
        assert!(drift.to_string().contains("nobody is told"), "{drift}");
        sqlx::raw_sql(AssertSqlSafe(drift.remedy))
            .execute(&pool)
            .await
            .unwrap();
    }
    let again = model.migrate(&pool).await.unwrap();
    assert_eq!((again.created.len(), again.drift.len()), (0, 0));
}

/// As teams apply it that keep migrations in files.
#[tokio::test]
async fn the_plan_of_a_migration_has_the_feed() {
    let pool = fraiseql_tests::pool().await;
    fraiseql_tests::run(&pool, super::TABLES).await;
    let model = model();
    let plan = model.migration_plan(&pool).await.unwrap();
    for _ in 0..2 {
        for sql in &plan {
            sqlx::raw_sql(AssertSqlSafe(sql.clone()))
                .execute(&pool)
                .await
                .unwrap();
        }
    }
    assert_eq!(model.migrate(&pool).await.unwrap().created, [""; 0]);
    let feed = start(&model, &pool).await;
    let mut changes = feed.changes::<Post>();
    assert_eq!(next(&mut changes).await, DocumentChange::Reset);
    sync_post(&pool, &[7]).await.unwrap();
    assert_eq!(next(&mut changes).await, DocumentChange::Changed(vec![7]));
}

#[tokio::test]
async fn a_feed_that_is_not_wanted_any_more_is_left_over() {
    let (pool, _) = world().await;
    let builder = ReadModel::builder().view::<Post>().view::<super::Ticket>();
    let without = builder.build().unwrap();
    let left = without.migrate(&pool).await.unwrap().left_over;
    let (triggers, functions): (Vec<_>, Vec<_>) = left
        .iter()
        .partition(|left| left.remedy.starts_with("DROP TRIGGER"));
    assert_eq!((triggers.len(), functions.len()), (10, 2), "{left:?}");
    for left in left {
        sqlx::raw_sql(AssertSqlSafe(left.remedy))
            .execute(&pool)
            .await
            .unwrap();
    }
    assert_eq!(without.migrate(&pool).await.unwrap().left_over.len(), 0);
    sync_post(&pool, &[7]).await.unwrap();
}

/// Changes are kept for a time, and not for ever.
#[tokio::test]
async fn old_changes_are_deleted() {
    let (pool, model) = world().await;
    let count = async || -> i64 {
        let sql = "SELECT count(*) FROM fraiseql_document_change";
        sqlx::query_scalar(sql).fetch_one(&pool).await.unwrap()
    };
    let keep = std::time::Duration::from_millis(400);
    let feed = model.feed(&pool).keep(keep).start().await.unwrap();
    let mut changes = feed.changes::<Post>();
    assert_eq!(next(&mut changes).await, DocumentChange::Reset);
    for round in 0..40 {
        sqlx::query("UPDATE tb_post SET title = $1 WHERE id = 7")
            .bind(format!("round {round}"))
            .execute(&pool)
            .await
            .unwrap();
        sync_post(&pool, &[7]).await.unwrap();
        assert_eq!(next(&mut changes).await, DocumentChange::Changed(vec![7]));
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    // At least the last 400 ms are kept, and at most twice that, until the next look of a feed.
    let left = count().await;
    assert!((4..=36).contains(&left), "{left}");
    assert_eq!(feed.health().resets, 0);
}

/// Roles that write documents need no right on the tables of the feed; one that reads it needs those that are granted.
#[tokio::test]
async fn the_grants_of_a_role_are_enough() {
    let (pool, model) = world().await;
    let options = (*pool.connect_options()).clone();
    let role = format!("feed_of_{}", options.get_database().unwrap());
    let create = format!("CREATE ROLE \"{role}\" LOGIN");
    for sql in std::iter::once(&create).chain(&model.grants(&role)) {
        sqlx::raw_sql(AssertSqlSafe(sql.clone()))
            .execute(&pool)
            .await
            .unwrap();
    }
    let own = fraiseql_tests::pool_of(options.username(&role)).await;
    let feed = start(&model, &own).await;
    let mut changes = feed.changes::<Post>();
    assert_eq!(next(&mut changes).await, DocumentChange::Reset);
    sync_post(&own, &[7]).await.unwrap();
    fraiseql_tests::run(&pool, "UPDATE tb_post SET title = 'New' WHERE id = 7").await;
    sync_post(&own, &[7]).await.unwrap();
    assert_eq!(next(&mut changes).await, DocumentChange::Changed(vec![7]));
    super::writers::asleep(&pool).await;
}

#[derive(TView)]
#[tview(view = "shop.tv_item", table = "shop.tb_item")]
struct Item {
    id: i32,
}

/// Views of two schemas are in one feed, whose tables are in the first of them.
#[tokio::test]
async fn a_feed_has_views_of_several_schemas() {
    let (pool, _) = world().await;
    fraiseql_tests::run(
        &pool,
        "CREATE SCHEMA shop; CREATE TABLE shop.tb_item (id int4 PRIMARY KEY); INSERT INTO shop.tb_item VALUES (1)",
    )
    .await;
    let builder = ReadModel::builder().view::<Item>().view::<Post>();
    let model = builder.feed().build().unwrap();
    model.migrate(&pool).await.unwrap();
    let feed = start(&model, &pool).await;
    let mut items = feed.document::<Item>(1);
    assert!(next(&mut items).await.unwrap().is_none());
    sync_item(&pool, &[1]).await.unwrap();
    assert_eq!(next(&mut items).await.unwrap().map(|item| item.id), Some(1));
}
