//! Tests that plans in files are what `migrate` runs, and can be applied more than once.

use fraiseql_runtime::{ReadModel, SyncLog, TView};
use fraiseql_tests::{assert_up_to_date, run, world};
use sqlx::{AssertSqlSafe, PgPool};

const TABLES: &str = "
CREATE SCHEMA shop;
CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL);
CREATE TABLE tb_order (id int8 PRIMARY KEY, total int8 NOT NULL);
CREATE TABLE shop.tb_item (id int8 PRIMARY KEY, name text NOT NULL)";

#[derive(TView)]
#[tview(index(expr = "lower(title)"), partition(hash = 2))]
#[allow(dead_code)]
struct Post {
    id: i64,
    #[tview(sort)]
    title: String,
}

#[derive(TView)]
#[allow(dead_code)]
struct Order {
    id: i64,
    #[tview(filter, sort, unique)]
    total: i64,
}

#[derive(TView)]
#[tview(table = "shop.tb_item", view = "shop.tv_item")]
#[allow(dead_code)]
struct Item {
    id: i64,
    #[tview(filter)]
    name: String,
}

fn models(pool: &PgPool) -> [ReadModel; 2] {
    let log = || SyncLog::new(pool.clone());
    [
        ReadModel::builder()
            .view::<Post>()
            .sync_log(log())
            .build()
            .unwrap(),
        ReadModel::builder()
            .view::<Order>()
            .view::<Item>()
            .sync_log(log())
            .build()
            .unwrap(),
    ]
}

async fn apply(pool: &PgPool, plan: &[String]) {
    for sql in plan {
        let done = sqlx::raw_sql(AssertSqlSafe(sql.as_str()))
            .execute(pool)
            .await;
        done.unwrap_or_else(|error| panic!("{error}\n{sql}"));
    }
}

#[tokio::test]
async fn the_plans_of_two_read_models_can_be_applied_to_one_database_and_twice()
-> anyhow::Result<()> {
    let pool = fraiseql_tests::pool().await;
    run(&pool, TABLES).await;
    let models = models(&pool);
    // Both are made before one is applied, as in two repositories.
    let plans = [
        models[0].migration_plan(&pool).await?,
        models[1].migration_plan(&pool).await?,
    ];
    for plan in plans.iter().chain(&plans) {
        apply(&pool, plan).await;
    }
    for model in &models {
        assert_eq!(model.migration_plan(&pool).await?, Vec::<String>::new());
        assert_up_to_date(&model.migrate(&pool).await?);
        let report = fraiseql_tests::without_server(model.check(&pool).await?);
        assert_eq!(report.findings().len(), 0, "{report}");
    }
    Ok(())
}

mod plain {
    #[derive(fraiseql_runtime::TView)]
    #[tview(table = "tb_post", view = "tv_word")]
    #[allow(dead_code)]
    pub(crate) struct Word {
        pub id: i64,
        pub title: String,
    }
}

mod indexed {
    #[derive(fraiseql_runtime::TView)]
    #[tview(
        table = "tb_post",
        view = "tv_word",
        index(on = "title DESC", unique, name = "by_word")
    )]
    #[allow(dead_code)]
    pub(crate) struct Word {
        pub id: i64,
        #[tview(filter)]
        pub title: String,
    }
}

/// A view table with many documents, to which indexes are added.
async fn large() -> PgPool {
    let pool = fraiseql_tests::pool().await;
    run(&pool, TABLES).await;
    run(
        &pool,
        "INSERT INTO tb_post SELECT i, 'post ' || i FROM generate_series(1, 12000) AS i",
    )
    .await;
    let model = world::model::<plain::Word>();
    model.migrate(&pool).await.unwrap();
    model.rebuild(&pool).await.unwrap();
    run(&pool, "ANALYZE tv_word").await;
    pool
}

#[tokio::test]
async fn the_plan_for_a_large_table_creates_indexes_concurrently_as_migrate_does()
-> anyhow::Result<()> {
    let pool = large().await;
    let model = world::model::<indexed::Word>();
    let plan = model.migration_plan(&pool).await?;
    let creating: Vec<&String> = plan
        .iter()
        .filter(|sql| sql.contains("INDEX") && !sql.starts_with("COMMENT"))
        .collect();
    assert_eq!(creating.len(), 2, "{plan:#?}");
    assert!(
        creating
            .iter()
            .all(|sql| sql.contains(" INDEX CONCURRENTLY IF NOT EXISTS ")),
        "{plan:#?}"
    );
    apply(&pool, &plan).await;
    apply(&pool, &plan).await;
    assert_up_to_date_but_stale(&model, &pool).await;

    // The same statements, as a trigger on DDL sees them.
    let pool = large().await;
    run(
        &pool,
        "CREATE TABLE seen (at int8 GENERATED ALWAYS AS IDENTITY, sql text);
         CREATE FUNCTION see() RETURNS event_trigger LANGUAGE plpgsql AS $$
         BEGIN INSERT INTO public.seen (sql) VALUES (current_query()); END $$;
         CREATE EVENT TRIGGER see ON ddl_command_end EXECUTE FUNCTION see()",
    )
    .await;
    model.migrate(&pool).await?;
    let seen: Vec<String> = sqlx::query_scalar("SELECT sql FROM seen ORDER BY at")
        .fetch_all(&pool)
        .await?;
    let plan: Vec<&String> = plan
        .iter()
        .filter(|sql| !sql.starts_with("INSERT"))
        .collect();
    assert_eq!(seen.iter().collect::<Vec<_>>(), plan);
    Ok(())
}

#[tokio::test]
async fn the_plan_replaces_an_index_that_is_not_valid() -> anyhow::Result<()> {
    let pool = large().await;
    let model = world::model::<indexed::Word>();
    model.migrate(&pool).await?;
    run(
        &pool,
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'by_word'::regclass",
    )
    .await;
    let plan = model.migration_plan(&pool).await?;
    assert!(plan[0].starts_with("DROP INDEX CONCURRENTLY"), "{plan:#?}");
    apply(&pool, &plan).await;
    assert_up_to_date_but_stale(&model, &pool).await;
    Ok(())
}

async fn assert_up_to_date_but_stale(model: &ReadModel, pool: &PgPool) {
    let migration = model.migrate(pool).await.unwrap();
    assert!(
        migration.created.is_empty() && migration.drift.is_empty(),
        "{migration}"
    );
}

#[tokio::test]
async fn any_text_search_configuration_of_the_server_can_be_used() -> anyhow::Result<()> {
    #[derive(TView)]
    #[tview(
        table = "tb_post",
        index(fulltext = "title", language = "shop.estonian", name = "qualified")
    )]
    #[allow(dead_code)]
    struct Qualified {
        id: i64,
        title: String,
    }

    #[derive(TView)]
    #[tview(
        table = "tb_post",
        index(
            fulltext = "title",
            language = "\"shop\".\"My Words\"",
            name = "quoted"
        )
    )]
    #[allow(dead_code)]
    struct Quoted {
        id: i64,
        title: String,
    }

    #[derive(TView)]
    #[tview(
        table = "tb_post",
        index(fulltext = "title", language = "klingon", name = "of_the_server")
    )]
    #[allow(dead_code)]
    struct Missing {
        id: i64,
        title: String,
    }

    let pool = fraiseql_tests::pool().await;
    run(&pool, TABLES).await;
    let model = ReadModel::builder()
        .view::<Qualified>()
        .view::<Quoted>()
        .view::<Missing>()
        .build()?;
    let report = model.check(&pool).await?.to_string();
    assert!(
        report.contains("no text search configuration `\"shop\".\"estonian\"`"),
        "{report}"
    );
    assert!(
        report.contains("no text search configuration `\"shop\".\"My Words\"`"),
        "{report}"
    );
    assert!(
        report.contains("no text search configuration `pg_catalog.klingon`"),
        "{report}"
    );
    run(
        &pool,
        "CREATE TEXT SEARCH CONFIGURATION shop.estonian (COPY = pg_catalog.simple);
         CREATE TEXT SEARCH CONFIGURATION shop.\"My Words\" (COPY = pg_catalog.simple);
         CREATE TEXT SEARCH CONFIGURATION shop.klingon (COPY = pg_catalog.simple)",
    )
    .await;
    let report = model.check(&pool).await?.to_string();
    assert!(report.contains("did you mean `shop.klingon`?"), "{report}");
    assert!(
        report.contains("write `language = \"shop.klingon\"`"),
        "{report}"
    );
    // As if the server had it.
    run(
        &pool,
        "ALTER TEXT SEARCH CONFIGURATION shop.klingon SET SCHEMA pg_catalog",
    )
    .await;
    model.migrate(&pool).await?;
    let report = fraiseql_tests::without_server(model.check(&pool).await?);
    assert_eq!(report.findings().len(), 0, "{report}");
    assert_up_to_date(&model.migrate(&pool).await?);
    Ok(())
}
