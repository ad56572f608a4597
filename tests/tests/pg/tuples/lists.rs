//! Lists: filters and orders by the columns of a key, pages, plans.

use fraiseql_runtime::TView;
use fraiseql_runtime::list::{Filter, OrderBy, Page};
use fraiseql_tests::run;

use super::synced;
use super::world::{Project, Ticket};

fn names(tickets: &[Ticket]) -> Vec<(i64, String, i16)> {
    let key = |ticket: &Ticket| (ticket.org_id, ticket.project_code.clone(), ticket.no);
    tickets.iter().map(key).collect()
}

#[tokio::test]
async fn a_list_is_filtered_and_ordered_by_columns_of_the_key() -> anyhow::Result<()> {
    let (pool, _) = synced(None).await?;
    let tickets = Ticket::list()
        .filter(Filter::eq("orgId", 2))
        .filter(Filter::eq("no", 3))
        .order_by(OrderBy::desc("projectCode"))
        .fetch::<Ticket>(&pool)
        .await?;
    assert_eq!(tickets.len(), 3);
    let expected: Vec<(i64, String, i16)> = sqlx::query_as(
        "SELECT org_id, project_code, no FROM tb_ticket WHERE org_id = 2 AND no = 3 ORDER BY project_code DESC",
    )
    .fetch_all(&pool)
    .await?;
    assert_eq!(names(&tickets), expected);
    Ok(())
}

/// Reads all pages in both directions, in some orders, and compares them with the list.
#[tokio::test]
async fn pages_have_each_document_once() -> anyhow::Result<()> {
    let (pool, _) = synced(None).await?;
    let orders: [&[OrderBy]; 6] = [
        &[],
        &[OrderBy::asc("title")],
        &[OrderBy::desc("title")],
        &[OrderBy::desc("no")],
        &[OrderBy::asc("projectCode"), OrderBy::desc("orgId")],
        &[
            OrderBy::desc("title"),
            OrderBy::asc("no"),
            OrderBy::desc("orgId"),
            OrderBy::asc("projectCode"),
        ],
    ];
    for order in orders {
        let list = order
            .iter()
            .cloned()
            .fold(Ticket::list(), |list, by| list.order_by(by));
        let all = names(&list.clone().fetch::<Ticket>(&pool).await?);
        assert_eq!(all.len(), 18);
        let mut forward = Vec::new();
        let mut cursor = None;
        loop {
            let page = list.page(Page::first(4).after(cursor), &pool).await?;
            for (_, document) in page.items() {
                forward.push(serde_json::from_slice::<Ticket>(document.json())?);
            }
            cursor = page.end().cloned();
            if !page.has_next() {
                break;
            }
        }
        assert_eq!(names(&forward), all, "{order:?}");
        let mut backward = Vec::new();
        let mut cursor = None;
        loop {
            let page = list.page(Page::last(5).before(cursor), &pool).await?;
            for (_, document) in page.items().rev() {
                backward.push(serde_json::from_slice::<Ticket>(document.json())?);
            }
            cursor = page.start().cloned();
            if !page.has_previous() {
                break;
            }
        }
        backward.reverse();
        assert_eq!(names(&backward), all, "{order:?}");
    }
    Ok(())
}

/// A page of an order by a promoted column is a scan of its index, from the position of the cursor.
#[tokio::test]
async fn a_page_begins_in_the_index_of_the_column_and_the_key() -> anyhow::Result<()> {
    let (pool, _) = synced(None).await?;
    run(
        &pool,
        "INSERT INTO tb_project SELECT 1 + n % 50, 'code ' || n, 'title ' || n % 100 FROM generate_series(1, 5000) AS n;
         INSERT INTO tv_project (code, org_id, title, data, version, synced_xid, updated_at)
         SELECT code, org_id, title, '{}', 1, pg_current_xact_id(), now() FROM tb_project ON CONFLICT DO NOTHING;
         ANALYZE tv_project",
    )
    .await;
    let list = Project::list().order_by(OrderBy::asc("title"));
    let first = list.page(Page::first(3), &pool).await?;
    let next = Page::first(10).after(first.end().cloned());
    let plan = list.explain_page(next, &pool).await?;
    let scan = "Index Scan using tv_project_title_idx on tv_project v_1";
    let condition = "Index Cond: (ROW(title, code, org_id) > ROW(";
    assert!(plan.contains(scan) && plan.contains(condition), "{plan}");
    assert!(
        !plan.contains("Filter") && !plan.contains("Seq Scan"),
        "{plan}"
    );
    Ok(())
}
