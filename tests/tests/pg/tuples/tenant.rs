//! A tenant that is a column of the key.

use fraiseql_runtime::TView;
use fraiseql_runtime::list::{OrderBy, Page};
use fraiseql_tests::{run, without_server};
use sqlx::PgPool;

#[derive(Debug, PartialEq, TView)]
struct Ticket {
    #[tview(key, tenant)]
    org_id: i64,
    #[tview(key)]
    no: i32,
    title: String,
    #[tview(sort)]
    due: i32,
    #[tview(unique)]
    slug: String,
}

async fn tickets() -> anyhow::Result<PgPool> {
    let pool = fraiseql_tests::pool().await;
    run(
        &pool,
        "CREATE TABLE tb_ticket (org_id int8, no int4, title text NOT NULL, due int4 NOT NULL, slug text NOT NULL,
            PRIMARY KEY (org_id, no), UNIQUE (org_id, slug));
         INSERT INTO tb_ticket SELECT o, n, 'ticket ' || n, n * 7 % 10, 's' || n
         FROM generate_series(1, 40) AS o, generate_series(1, 50) AS n",
    )
    .await;
    let model = fraiseql_tests::world::model::<Ticket>();
    model.migrate(&pool).await?;
    sync_all_tickets(&pool).await?;
    run(&pool, "ANALYZE tv_ticket").await;
    let report = without_server(model.check(&pool).await?);
    assert!(report.findings().is_empty(), "{report}");
    Ok(pool)
}

#[tokio::test]
async fn a_document_of_another_tenant_is_not_found() -> anyhow::Result<()> {
    let pool = tickets().await?;
    let mine = Ticket::of(7);
    assert_eq!(mine.find(&pool, (7, 3)).await?.unwrap().title, "ticket 3");
    assert!(mine.find(&pool, (8, 3)).await?.is_none());
    let found = mine
        .find_many(&pool, &[(8, 3), (7, 4), (9, 9), (7, 1)])
        .await?;
    let found: Vec<_> = found
        .iter()
        .map(|ticket| (ticket.org_id, ticket.no))
        .collect();
    assert_eq!(found, [(7, 4), (7, 1)]);
    let all = Ticket::across_tenants()
        .find_many(&pool, &[(8, 3), (7, 4)])
        .await?;
    assert_eq!(all.len(), 2);
    Ok(())
}

/// The key already begins with the tenant, and the other indexes have each column once.
#[tokio::test]
async fn indexes_begin_with_the_tenant_once() -> anyhow::Result<()> {
    let pool = tickets().await?;
    let indexes: Vec<String> = sqlx::query_scalar(
        "SELECT regexp_replace(pg_get_indexdef(indexrelid), '.* USING ', '') FROM pg_index
         WHERE indrelid = 'tv_ticket'::regclass ORDER BY 1",
    )
    .fetch_all(&pool)
    .await?;
    assert_eq!(
        indexes,
        [
            "btree (org_id, due, no)",
            "btree (org_id, no)",
            "btree (org_id, slug)"
        ]
    );
    Ok(())
}

#[tokio::test]
async fn pages_of_a_tenant_are_ranges_of_one_index() -> anyhow::Result<()> {
    let pool = tickets().await?;
    for (order, index) in [
        (vec![OrderBy::asc("due")], "tv_ticket_due_idx"),
        (vec![OrderBy::desc("due")], "tv_ticket_due_idx"),
        (vec![], "tv_ticket_pkey"),
    ] {
        let list = order
            .into_iter()
            .fold(Ticket::of(7).list(), |list, by| list.order_by(by));
        let mut seen = Vec::new();
        let mut after = None;
        loop {
            let page = list
                .page(Page::first(8).after(after.clone()), &pool)
                .await?;
            let plan = list
                .explain_page(Page::first(8).after(after), &pool)
                .await?;
            assert!(plan.contains(index), "{plan}");
            for reads_more in ["Sort  ", "Filter: ", "Seq Scan", "Incremental"] {
                assert!(!plan.contains(reads_more), "{reads_more}: {plan}");
            }
            seen.extend(page.items().map(|(_, document)| document.json().to_vec()));
            after = page.end().cloned();
            if !page.has_next() {
                break;
            }
        }
        let all: Vec<Ticket> = list.fetch(&pool).await?;
        let seen: Vec<Ticket> = seen
            .iter()
            .map(|json| serde_json::from_slice(json))
            .collect::<Result<_, _>>()?;
        assert_eq!(seen, all);
        assert_eq!(all.len(), 50);
        assert!(all.iter().all(|ticket| ticket.org_id == 7));
    }
    Ok(())
}

/// Two tickets swap their unique values: the same values exist in other organizations.
#[tokio::test]
async fn unique_values_are_exchanged_within_a_tenant() -> anyhow::Result<()> {
    let pool = tickets().await?;
    run(
        &pool,
        "UPDATE tb_ticket SET slug = 'x' WHERE org_id = 7 AND no = 1;
         UPDATE tb_ticket SET slug = 's1' WHERE org_id = 7 AND no = 2;
         UPDATE tb_ticket SET slug = 's2' WHERE org_id = 7 AND no = 1",
    )
    .await;
    // Only one of the two: the other one holds its value.
    let report = sync_ticket(&pool, &[(7, 1)]).await?;
    assert_eq!(report.updated, 2, "{report}");
    let report = verify_ticket(&pool).await?;
    assert!(report.is_clean(), "{report}");
    Ok(())
}

/// The same in partitions of tenants: all documents of one are in one of them.
mod in_partitions {
    use fraiseql_runtime::TView;
    use fraiseql_runtime::list::OrderBy;

    #[derive(Debug, PartialEq, TView)]
    #[tview(
        table = "tb_ticket",
        entity = "spread",
        view = "tv_spread",
        partition(hash = 4, tenant),
        index(on = "title", unique, name = "spread_titles")
    )]
    pub(super) struct Spread {
        #[tview(key, tenant)]
        org_id: i64,
        #[tview(key)]
        no: i32,
        #[tview(sort)]
        title: String,
        #[tview(sort)]
        due: i32,
        #[tview(unique)]
        slug: String,
    }

    #[tokio::test]
    async fn a_read_of_a_tenant_is_a_read_of_one_partition() -> anyhow::Result<()> {
        let pool = super::tickets().await?;
        let model = fraiseql_tests::world::model::<Spread>();
        model.migrate(&pool).await?;
        assert_eq!(sync_all_spreads(&pool).await?.inserted, 2_000);
        fraiseql_tests::run(&pool, "ANALYZE tv_spread").await;
        let again = model.migrate(&pool).await?;
        assert_eq!(
            again,
            fraiseql_runtime::migrate::Migration::default(),
            "{again}"
        );
        let report = fraiseql_tests::without_server(model.check(&pool).await?);
        assert!(report.findings().is_empty(), "{report}");
        let spread: Vec<(i64, i64)> = sqlx::query_as(
            "SELECT count(*), count(DISTINCT org_id) FROM tv_spread GROUP BY tableoid",
        )
        .fetch_all(&pool)
        .await?;
        assert_eq!(spread.len(), 4);
        assert_eq!(spread.iter().map(|(_, tenants)| tenants).sum::<i64>(), 40);
        let list = Spread::of(7).list().order_by(OrderBy::asc("due")).limit(5);
        let plan = list.explain(&pool).await?;
        let partitions: std::collections::BTreeSet<&str> = plan
            .split_whitespace()
            .filter(|word| word.starts_with("tv_spread_p") && !word.contains("idx"))
            .collect();
        assert!(partitions.len() <= 1, "{plan}");
        assert!(!plan.contains("Seq Scan"), "{plan}");
        assert_eq!(list.fetch::<Spread>(&pool).await?.len(), 5);
        let mut tx = pool.begin().await?;
        sqlx::query("DELETE FROM tb_ticket WHERE org_id = 7 AND no > 2")
            .execute(&mut *tx)
            .await?;
        let keys: Vec<_> = (1..=50).map(|no| (7, no)).collect();
        let report = sync_spread(&mut tx, &keys).await?;
        tx.commit().await?;
        assert_eq!((report.unchanged, report.deleted), (2, 48));
        Ok(())
    }
}

/// The same rows, without a view table.
#[derive(Debug, PartialEq, TView)]
#[tview(table = "tb_ticket", storage = "live")]
struct LiveTicket {
    #[tview(key, tenant)]
    org_id: i64,
    #[tview(key)]
    no: i32,
    #[tview(sort)]
    due: i32,
}

#[tokio::test]
async fn a_live_view_has_lists_and_pages_of_a_tenant() -> anyhow::Result<()> {
    let pool = tickets().await?;
    let mine = LiveTicket::of(7);
    let list = mine.list().order_by(OrderBy::desc("due"));
    let all = list.fetch::<LiveTicket>(&pool).await?;
    assert_eq!(all.len(), 50);
    assert!(all.iter().all(|ticket| ticket.org_id == 7));
    assert!(
        all.is_sorted_by_key(|ticket| (-ticket.due, -ticket.no))
            || all.is_sorted_by_key(|ticket| (-ticket.due, ticket.no))
    );
    assert_eq!(mine.list().fetch::<LiveTicket>(&pool).await?.len(), 50);
    let mut page = list.page(Page::first(20), &pool).await?;
    let mut read = page.len();
    while page.has_next() {
        let next = Page::first(20).after(page.end().unwrap().clone());
        page = list.page(next, &pool).await?;
        read += page.len();
    }
    assert_eq!(read, 50);
    let everybody = LiveTicket::across_tenants().list();
    assert_eq!(everybody.fetch::<LiveTicket>(&pool).await?.len(), 2_000);
    Ok(())
}
