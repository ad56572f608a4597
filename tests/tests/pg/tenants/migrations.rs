//! A tenant that is added to a view which has documents.

use fraiseql_runtime::{ReadModel, TView};

use super::{TABLES, Ticket};

mod before {
    use fraiseql_runtime::TView;

    /// The view before it had a tenant.
    #[derive(TView)]
    #[allow(dead_code)]
    pub(super) struct Ticket {
        id: i64,
        org_id: i64,
        title: String,
        #[tview(filter, sort)]
        priority: Option<i32>,
        #[tview(unique)]
        slug: String,
    }
}

#[tokio::test]
async fn an_added_tenant_is_planned_and_its_indexes_are_reported() -> anyhow::Result<()> {
    let pool = fraiseql_tests::pool().await;
    fraiseql_tests::run(&pool, TABLES).await;
    fraiseql_tests::run(&pool, "UPDATE tb_ticket SET slug = 'own ' || id").await;
    let before = ReadModel::builder().view::<before::Ticket>().build()?;
    before.migrate(&pool).await?;
    before::sync_all_tickets(&pool).await?;

    let model = fraiseql_tests::world::model::<Ticket>();
    let migration = model.migrate(&pool).await?;
    let created: Vec<String> = migration
        .created
        .iter()
        .map(ToString::to_string)
        .filter(|created| !created.contains("function"))
        .collect();
    assert_eq!(
        created,
        [
            r#"column "org_id" of "public"."tv_ticket""#,
            r#"index "public"."tv_ticket_org_id_idx""#,
        ]
    );
    // What exists under a name is not replaced by itself: each is named, with the statement.
    let drift = migration.to_string();
    for index in ["tv_ticket_priority_idx", "tv_ticket_slug_idx"] {
        assert!(drift.contains(index), "{drift}");
    }
    let statements: Vec<String> = migration
        .drift
        .iter()
        .map(|drift| drift.remedy.to_string())
        .collect();
    assert_eq!(statements.len(), 2, "{drift}");
    for statement in statements {
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
            .execute(&pool)
            .await?;
    }
    model.migrate(&pool).await?;

    // Documents from before belong to nobody until they are synced.
    assert!(Ticket::of(1).find(&pool, 3).await?.is_none());
    assert!(Ticket::across_tenants().find(&pool, 3).await?.is_some());
    model.rebuild(&pool).await?;
    assert!(Ticket::of(1).find(&pool, 3).await?.is_some());
    fraiseql_tests::assert_up_to_date(&model.migrate(&pool).await?);
    assert!(super::verify_ticket(&pool).await?.is_clean());
    Ok(())
}
