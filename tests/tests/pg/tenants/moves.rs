//! Documents that move to another tenant, and values that are unique within one.

use fraiseql_runtime::TView;
use fraiseql_tests::run;

use super::{Ticket, sync_ticket, tickets};

#[tokio::test]
async fn a_moved_document_is_the_new_tenants_after_its_sync() -> anyhow::Result<()> {
    let pool = tickets().await;
    run(
        &pool,
        "UPDATE tb_ticket SET org_id = 2, slug = 'moved' WHERE id = 3",
    )
    .await;
    // Until its sync it is where it was.
    assert!(Ticket::of(1).find(&pool, 3).await?.is_some());
    assert!(Ticket::of(2).find(&pool, 3).await?.is_none());
    let report = sync_ticket(&pool, &[3]).await?;
    assert_eq!(report.updated, 1);
    assert!(Ticket::of(1).find(&pool, 3).await?.is_none());
    assert_eq!(Ticket::of(2).find(&pool, 3).await?.unwrap().org_id, 2);
    Ok(())
}

#[tokio::test]
async fn a_value_is_unique_within_a_tenant() -> anyhow::Result<()> {
    let pool = tickets().await;
    // The base table forbids nothing.
    run(
        &pool,
        "ALTER TABLE tb_ticket DROP CONSTRAINT tb_ticket_org_id_slug_key;
         UPDATE tb_ticket SET slug = (SELECT slug FROM tb_ticket WHERE id = 6) WHERE id = 3",
    )
    .await;
    let report = sync_ticket(&pool, &[3]).await?;
    assert!(report.invalid[0].reason.starts_with("slug: duplicate key"));
    run(
        &pool,
        "UPDATE tb_ticket SET org_id = 2, slug = 'own' WHERE id = 3",
    )
    .await;
    sync_ticket(&pool, &[3]).await?;
    // Of another tenant it is another value.
    run(
        &pool,
        "UPDATE tb_ticket SET slug = (SELECT slug FROM tb_ticket WHERE id = 6) WHERE id = 3",
    )
    .await;
    let taken: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM tv_ticket WHERE org_id = 2 AND slug = (SELECT slug FROM tb_ticket WHERE id = 6)",
    )
    .fetch_one(&pool)
    .await?;
    assert_eq!(taken, 1, "the world has one");
    run(&pool, "DELETE FROM tb_ticket WHERE org_id = 2 AND id <> 3").await;
    let gone: Vec<i64> = super::ids(2);
    sync_ticket(&pool, &gone).await?;
    sync_ticket(&pool, &[3]).await?;
    assert!(Ticket::of(2).find(&pool, 3).await?.is_some());
    assert!(Ticket::of(1).find(&pool, 6).await?.is_some());
    Ok(())
}

#[tokio::test]
async fn documents_exchange_their_tenants_and_their_unique_values() -> anyhow::Result<()> {
    let pool = tickets().await;
    // 3 and 4 have one slug, in two tenants; 3 and 6 have two, in one.
    let slugs: Vec<String> =
        sqlx::query_scalar("SELECT slug FROM tb_ticket WHERE id IN (3, 4, 6) ORDER BY id")
            .fetch_all(&pool)
            .await?;
    assert_eq!(slugs, ["s1", "s1", "s2"]);
    run(
        &pool,
        "ALTER TABLE tb_ticket DROP CONSTRAINT tb_ticket_org_id_slug_key;
         UPDATE tb_ticket SET org_id = CASE id WHEN 3 THEN 2 ELSE 1 END WHERE id IN (3, 4)",
    )
    .await;
    sync_ticket(&pool, &[3, 4]).await?;
    assert_eq!(Ticket::of(2).find(&pool, 3).await?.unwrap().slug, "s1");
    assert_eq!(Ticket::of(1).find(&pool, 4).await?.unwrap().slug, "s1");
    run(
        &pool,
        "UPDATE tb_ticket SET slug = CASE id WHEN 4 THEN 's2' ELSE 's1' END WHERE id IN (4, 6)",
    )
    .await;
    sync_ticket(&pool, &[4, 6]).await?;
    assert_eq!(Ticket::of(1).find(&pool, 4).await?.unwrap().slug, "s2");
    assert_eq!(Ticket::of(1).find(&pool, 6).await?.unwrap().slug, "s1");
    // One by one: the other is stale, and stores the value.
    run(
        &pool,
        "UPDATE tb_ticket SET slug = CASE id WHEN 4 THEN 's1' ELSE 's2' END WHERE id IN (4, 6)",
    )
    .await;
    sync_ticket(&pool, &[4]).await?;
    assert_eq!(Ticket::of(1).find(&pool, 4).await?.unwrap().slug, "s1");
    assert_eq!(Ticket::of(1).find(&pool, 6).await?.unwrap().slug, "s2");
    assert!(super::verify_ticket(&pool).await?.is_clean());
    Ok(())
}
