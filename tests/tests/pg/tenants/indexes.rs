//! The indexes of a view table with a tenant.

use fraiseql_runtime::{TEnum, TView};

use super::Ticket;

#[derive(TEnum)]
#[tview(rename_all = "snake_case")]
#[allow(dead_code)]
enum Status {
    Open,
    Closed,
}

#[derive(TView)]
#[allow(clippy::duplicated_attributes)] // options of different indexes
#[tview(
    table = "tb_ticket",
    view = "tv_issue",
    index(on = "status, priority DESC"),
    index(on = "org_id DESC, priority", name = "own_order"),
    index(on = "priority", global, name = "of_all"),
    index(on = "title", unique, global, name = "title_of_all"),
    index(on = "title", unique, name = "title_of_one"),
    index(expr = "lower(title)", name = "lower_title"),
    index(on = "priority", using = "brin", name = "ranges"),
    index(gin, name = "words")
)]
#[allow(dead_code)]
struct Issue {
    id: i64,
    #[tview(tenant)]
    org_id: i64,
    #[tview(filter)]
    title: String,
    #[tview(sort, index = false)]
    priority: Option<i32>,
    #[tview(sort)]
    status: Status,
}

fn indexes<V: TView>() -> Vec<String> {
    let indexes = V::statements().ddl.indexes.iter();
    let short = |sql: &str| {
        let (create, on) = sql.split_once(" ON ").unwrap();
        let unique = if create.contains("UNIQUE") {
            "unique "
        } else {
            ""
        };
        let on = on.split_once(' ').unwrap().1;
        format!("{unique}{on}")
    };
    indexes
        .map(|index| format!("{}: {}", index.name, short(&index.sql)))
        .collect()
}

#[test]
fn each_index_begins_with_the_tenant() {
    assert_eq!(
        indexes::<Ticket>(),
        [
            r#"tv_ticket_org_id_idx: ("org_id", "id")"#,
            r#"tv_ticket_priority_idx: ("org_id", "priority", "id")"#,
            r#"tv_ticket_slug_idx: unique ("org_id", "slug")"#,
        ]
    );
}

#[test]
fn a_declared_index_begins_with_the_tenant_unless_it_is_global() {
    let found = indexes::<Issue>();
    let of = |name: &str| {
        let mut of_name = found
            .iter()
            .filter_map(|index| index.strip_prefix(&format!("{name}: ")));
        of_name.next().unwrap_or("none").to_owned()
    };
    assert_eq!(of("tv_issue_priority_idx"), "none", "index = false");
    assert_eq!(of("tv_issue_title_idx"), r#"("org_id", "title")"#);
    assert_eq!(
        of("tv_issue_status_priority_idx"),
        r#"("org_id", "status", "priority" DESC)"#
    );
    assert_eq!(of("own_order"), r#"("org_id" DESC, "priority")"#);
    assert_eq!(of("of_all"), r#"("priority")"#);
    assert_eq!(of("title_of_all"), r#"unique ("title")"#);
    assert_eq!(of("title_of_one"), r#"unique ("org_id", "title")"#);
    assert_eq!(of("lower_title"), r#"("org_id", (lower(title)))"#);
    assert_eq!(of("ranges"), r#"USING brin ("priority")"#);
    assert_eq!(of("words"), "USING gin (data pg_catalog.jsonb_path_ops)");
    let declaration = of("tv_issue_status_declaration_idx");
    assert!(
        declaration.starts_with(r#"("org_id", (coalesce("#) && declaration.ends_with(r#", "id")"#),
        "{declaration}"
    );
    // What a query writes is the expression alone.
    let lower = Issue::statements().ddl.index("lower_title").unwrap();
    assert_eq!(lower.expression, "lower(title)");
}

#[tokio::test]
async fn a_migration_creates_and_recognizes_them() -> anyhow::Result<()> {
    let pool = fraiseql_tests::pool().await;
    fraiseql_tests::run(&pool, super::TABLES).await;
    fraiseql_tests::run(
        &pool,
        "ALTER TABLE tb_ticket ADD status text NOT NULL DEFAULT 'open'",
    )
    .await;
    let model = fraiseql_tests::world::model::<Issue>();
    model.migrate(&pool).await?;
    sync_all_issues(&pool).await?;
    fraiseql_tests::assert_up_to_date(&model.migrate(&pool).await?);
    let remove = "DO $$ DECLARE i text; BEGIN
        FOR i IN SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'tv_issue'::regclass LOOP
            EXECUTE format('COMMENT ON INDEX %s IS NULL', i);
        END LOOP; END $$";
    fraiseql_tests::run(&pool, remove).await;
    fraiseql_tests::assert_up_to_date(&model.migrate(&pool).await?);
    assert!(verify_issue(&pool).await?.is_clean());
    assert_eq!(Issue::of(1).list().fetch::<Issue>(&pool).await?.len(), 20);
    Ok(())
}
