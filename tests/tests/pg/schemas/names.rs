//! Names: every statement, what cannot be a schema, and what is in the way there.

use fraiseql_runtime::model::ReadModelBuilder;
use fraiseql_runtime::{Capture, ReadModel, TView};

use super::synced;
use super::world::{Post, SCHEMAS, customers, model};

#[tokio::test]
async fn no_statement_names_public() -> anyhow::Result<()> {
    let pool = fraiseql_tests::pool().await;
    customers(&pool).await;
    for capture in [Capture::Queue, Capture::AtCommit] {
        let model = model().capture(capture).build()?.in_schema("customer_7")?;
        for statement in model.migration_plan(&pool).await? {
            assert!(!statement.contains("\"public\"."), "{statement}");
        }
        for grant in model.grants("app") {
            assert!(!grant.contains("\"public\"."), "{grant}");
        }
        let views: Vec<_> = model.views().map(|view| view.table.to_string()).collect();
        assert_eq!(views[1], "\"customer_7\".\"tv_post\"");
    }
    Ok(())
}

#[tokio::test]
async fn a_schema_that_cannot_be_is_an_error() -> anyhow::Result<()> {
    let blog = model().build()?;
    for (name, reason) in [
        ("", "it is empty"),
        (
            &*"x".repeat(64),
            "names in PostgreSQL have at most 63 bytes",
        ),
        ("a\0b", "it contains a NUL character"),
    ] {
        let error = blog.in_schema(name).unwrap_err().to_string();
        assert_eq!(
            error,
            format!("`{name}` cannot be the schema of a read model: {reason}")
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_migration_goes_on_after_one_that_failed() -> anyhow::Result<()> {
    let pool = fraiseql_tests::pool().await;
    customers(&pool).await;
    let model = model().build()?;
    let [first, second] = SCHEMAS;
    let migrations = model
        .migrate_schemas(&pool, [first, "customer_9", second])
        .await;
    let done: Vec<_> = migrations.migrated().map(|(schema, _)| schema).collect();
    assert_eq!(done, SCHEMAS);
    let failed: Vec<_> = migrations.failed().collect();
    assert_eq!(failed.len(), 1);
    let error = failed[0].1.to_string();
    assert!(error.contains("customer_9"), "{error}");
    assert!(migrations.into_result().is_err());
    // What is there is not created again.
    for (_, migration) in model.migrate_schemas(&pool, SCHEMAS).await.into_result()? {
        assert!(migration.created.is_empty(), "{migration}");
    }
    Ok(())
}

/// A view that is declared in the schema of a customer.
#[derive(TView)]
#[tview(table = "customer_7.tb_post", view = "customer_7.tv_post")]
struct OfCustomer {
    id: i64,
}

#[tokio::test]
async fn a_view_that_is_declared_there_is_in_the_way() -> anyhow::Result<()> {
    let blog = ReadModel::builder()
        .view::<Post>()
        .view::<OfCustomer>()
        .build()?;
    let error = blog.in_schema("customer_7").unwrap_err().to_string();
    assert!(
        error.contains("OfCustomer") && error.contains("tv_post"),
        "{error}"
    );
    assert!(blog.in_schema("customer_8").is_ok());
    Ok(())
}

/// The reports of a read model know which of two tables of one name is meant.
#[tokio::test]
async fn reports_tell_tables_of_one_name_apart() -> anyhow::Result<()> {
    let (pool, _) = synced(None).await?;
    let declared = ReadModel::builder().view::<OfCustomer>().build()?;
    fraiseql_tests::run(&pool, "DROP TABLE customer_7.tv_post CASCADE").await;
    declared.migrate(&pool).await?;
    let report = declared.sync_all(&pool).await?;
    assert_eq!(report.of::<OfCustomer>().unwrap().inserted, 4);
    assert!(report.of::<Post>().is_none());
    Ok(())
}

/// One schema is one model, whichever it was begun from.
#[tokio::test]
async fn a_model_of_a_schema_leads_to_the_others() -> anyhow::Result<()> {
    let builder: ReadModelBuilder = model();
    let blog = builder.build()?;
    let customer = blog.in_schema("customer_7")?;
    let view = |model: &ReadModel| model.views().next().unwrap() as *const _;
    assert_eq!(
        view(&customer),
        view(&blog.in_schema("customer_8")?.in_schema("customer_7")?)
    );
    assert_eq!(view(&blog), view(&customer.in_schema("public")?));
    assert_ne!(view(&blog), view(&customer));
    Ok(())
}
