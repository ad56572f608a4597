//! A tenant among many: a page of its documents is one range of one index.

use chrono::{DateTime, Utc};
use fraiseql_runtime::TView;
use fraiseql_runtime::list::{Filter, List, OrderBy, Page};
use sqlx::PgPool;

const TABLES: &str = "
CREATE TABLE tb_task (
    id int8 PRIMARY KEY, org_id int8 NOT NULL, due_at timestamptz NOT NULL, title text NOT NULL);
INSERT INTO tb_task
    SELECT n, n % 1000, '2026-01-01T00:00:00Z'::timestamptz + (n * 7919 % 100003) * interval '1 minute', 'Task ' || n
    FROM generate_series(1, 60000) AS n;
";

#[derive(Debug, TView)]
struct Task {
    id: i64,
    #[tview(tenant)]
    org_id: i64,
    #[tview(sort)]
    due_at: DateTime<Utc>,
    #[tview(filter)]
    title: String,
}

async fn tasks() -> PgPool {
    let pool = fraiseql_tests::pool().await;
    fraiseql_tests::run(&pool, TABLES).await;
    fraiseql_tests::world::model::<Task>()
        .migrate(&pool)
        .await
        .unwrap();
    sync_all_tasks(&pool).await.unwrap();
    fraiseql_tests::run(&pool, "ANALYZE tv_task").await;
    pool
}

/// Asserts that the scans of a plan are this number of ranges of an index, without a filter or a sort.
#[track_caller]
fn assert_ranges(plan: &str, index: &str, ranges: usize) {
    let is_scan = |line: &&str| line.contains("Scan") && !line.contains("Subquery Scan");
    let scans: Vec<&str> = plan.lines().filter(is_scan).collect();
    assert_eq!(scans.len(), ranges, "{plan}");
    for scan in scans {
        assert!(scan.contains("Index Scan"), "{plan}");
        assert!(scan.contains(&format!(" using {index} ")), "{plan}");
    }
    let conditions = plan.lines().filter(|line| line.contains("Index Cond"));
    let of_tenant = conditions.filter(|line| line.contains("(org_id = '7'::bigint)"));
    assert_eq!(of_tenant.count(), ranges, "{plan}");
    assert!(
        !plan.contains("Sort  (") && !plan.contains("Filter"),
        "{plan}"
    );
}

#[tokio::test]
async fn a_page_of_one_tenant_among_a_thousand_is_one_range_of_an_index() -> anyhow::Result<()> {
    let pool = tasks().await;
    let own = Task::of(7);
    let by_due: fn(List<Task>) -> List<Task> = |list| list.order_by(OrderBy::asc("dueAt"));
    let latest: fn(List<Task>) -> List<Task> = |list| list.order_by(OrderBy::desc("dueAt"));
    let by_key: fn(List<Task>) -> List<Task> = |list| list;
    for (list, index) in [
        (by_due, "tv_task_due_at_idx"),
        (latest, "tv_task_due_at_idx"),
        (by_key, "tv_task_org_id_idx"),
    ] {
        let list = list(own.list());
        let middle = list.page(Page::first(30), &pool).await?;
        let end = middle.end().cloned();
        let plan = list.clone().limit(20).explain(&pool).await?;
        assert_ranges(&plan, index, 1);
        for (page, at_nulls) in [
            (Page::first(20), false),
            (
                Page::first(20).after(end.clone()),
                index != "tv_task_org_id_idx",
            ),
            (
                Page::last(20).before(end.clone()),
                index != "tv_task_org_id_idx",
            ),
        ] {
            let plan = list.explain_page(page.clone(), &pool).await?;
            // Documents of an older release may have null in the column: they are a range of their own
            // at one end of the list.
            let ranges = if at_nulls && plan.contains("IS NULL") {
                2
            } else {
                1
            };
            assert_ranges(&plan, index, ranges);
        }
    }
    let filtered = own.list().filter(Filter::eq("title", "Task 7"));
    let plan = filtered.explain(&pool).await?;
    assert!(
        plan.contains("org_id") && plan.contains("Index Cond"),
        "{plan}"
    );
    Ok(())
}

/// Reads are prepared: after some executions PostgreSQL takes a plan for any tenant.
#[tokio::test]
async fn the_plan_for_any_tenant_is_the_same_range() -> anyhow::Result<()> {
    fraiseql_tests::needs_sessions();
    let pool = tasks().await;
    let sql = Task::of(7)
        .list()
        .order_by(OrderBy::asc("dueAt"))
        .limit(20)
        .sql()?;
    let mut connection = pool.acquire().await?;
    for statement in [
        "SET plan_cache_mode = force_generic_plan".to_owned(),
        format!("PREPARE due (int8[]) AS {sql}"),
    ] {
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
            .execute(&mut *connection)
            .await?;
    }
    let plan: Vec<String> = sqlx::query_scalar("EXPLAIN EXECUTE due ('{7}')")
        .fetch_all(&mut *connection)
        .await?;
    let plan = plan.join("\n");
    assert!(
        plan.contains("Index Scan using tv_task_due_at_idx"),
        "{plan}"
    );
    assert!(plan.contains("Index Cond: (org_id = ($1)[1])"), "{plan}");
    assert!(!plan.contains("Sort") && !plan.contains("Filter"), "{plan}");
    Ok(())
}
