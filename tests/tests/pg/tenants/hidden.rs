//! Hidden fields: columns of the view table that documents do not show.

use chrono::{DateTime, TimeZone as _, Utc};
use fraiseql_runtime::list::{Filter, OrderBy, Page};
use fraiseql_runtime::{TEnum, TView};
use rust_decimal::Decimal;
use serde_json::json;
use sqlx::PgPool;

const TABLES: &str = "
CREATE TABLE tb_ticket (id int8 PRIMARY KEY, org_id int8 NOT NULL, title text NOT NULL, status text NOT NULL,
    cost numeric NOT NULL, due_at timestamptz, labels text[] NOT NULL);
CREATE TABLE tb_note (id int8 PRIMARY KEY, ticket_id int8 NOT NULL);
INSERT INTO tb_ticket
    SELECT n, 1 + n % 2, 'Ticket ' || n, CASE WHEN n % 3 = 0 THEN 'closed' ELSE 'open' END, n * 1.50,
        '2026-01-01T00:00:00Z'::timestamptz + n * interval '1 day', ARRAY['l' || n]
    FROM generate_series(1, 12) AS n;
INSERT INTO tb_note SELECT n, 1 + n % 12 FROM generate_series(1, 30) AS n;
UPDATE tb_ticket SET due_at = NULL WHERE id = 12;
";

#[derive(Clone, Copy, Debug, PartialEq, TEnum)]
#[tview(rename_all = "snake_case")]
enum Status {
    Open,
    Closed,
}

/// The same view in each storage.
macro_rules! views {
    ($($module:ident $storage:literal $data:literal;)*) => {$(
        mod $module {
            use super::*;

            #[derive(Debug, TView)]
            #[tview(storage = $storage, data = $data)]
            pub(super) struct Ticket {
                pub(super) id: i64,
                #[tview(tenant, hidden)]
                pub(super) org_id: i64,
                #[tview(filter)]
                pub(super) title: String,
                #[tview(expr = "lower({}.title)", sort, hidden)]
                pub(super) lower_title: String,
                #[tview(filter, hidden)]
                pub(super) status: Status,
                #[tview(sort, hidden, index = false)]
                pub(super) cost: Decimal,
                #[tview(sort, hidden)]
                pub(super) due_at: Option<DateTime<Utc>>,
                #[tview(filter, hidden)]
                pub(super) labels: Vec<String>,
                #[tview(count(table = "tb_note", fk = "ticket_id"), sort, hidden)]
                pub(super) notes: i64,
            }

            #[tokio::test]
            async fn a_hidden_field_is_not_in_the_document_and_has_its_value_in_the_struct()
            -> anyhow::Result<()> {
                let pool = fraiseql_tests::pool().await;
                fraiseql_tests::run(&pool, TABLES).await;
                let model = fraiseql_tests::world::model::<Ticket>();
                model.migrate(&pool).await?;
                sync_all_tickets(&pool).await?;
                fraiseql_tests::without_server(model.check(&pool).await?).into_result()?;
                let own = Ticket::of(2);
                assert_shown(own.find_json(&pool, 3).await?.unwrap().get());
                let ticket = own.find(&pool, 3).await?.unwrap();
                assert_eq!(ticket.org_id, 2);
                assert_eq!(ticket.lower_title, "ticket 3");
                assert_eq!(ticket.status, Status::Closed);
                assert_eq!(ticket.cost, Decimal::new(450, 2));
                assert_eq!(ticket.due_at, Some(Utc.with_ymd_and_hms(2026, 1, 4, 0, 0, 0).unwrap()));
                assert_eq!(ticket.labels, ["l3"]);
                assert_eq!(ticket.notes, 3);
                assert_shown(&serde_json::to_string(&ticket)?);
                let many = own.find_many(&pool, &[9, 4, 3]).await?;
                assert_eq!(many.iter().map(|one| (one.id, one.org_id)).collect::<Vec<_>>(), [(9, 2), (3, 2)]);
                assert!(Ticket::of(1).find(&pool, 12).await?.unwrap().due_at.is_none());
                Ok(())
            }

            #[tokio::test]
            async fn lists_are_filtered_ordered_and_paged_by_hidden_fields() -> anyhow::Result<()> {
                let pool = fraiseql_tests::pool().await;
                fraiseql_tests::run(&pool, TABLES).await;
                fraiseql_tests::world::model::<Ticket>().migrate(&pool).await?;
                sync_all_tickets(&pool).await?;
                let own = Ticket::of(2).list();
                let closed = own.clone().filter(Filter::eq("status", "CLOSED"));
                let closed: Vec<Ticket> = closed.fetch(&pool).await?;
                assert_eq!(closed.iter().map(|one| one.id).collect::<Vec<_>>(), [3, 9]);
                for order in ["lowerTitle", "cost", "dueAt", "notes"] {
                    for limit in [3, 50] {
                        let list = own.clone().order_by(OrderBy::desc(order)).limit(limit);
                        let tickets: Vec<Ticket> = list.fetch(&pool).await?;
                        assert_eq!(tickets.len(), limit.min(6) as usize);
                        assert!(tickets.iter().all(|ticket| ticket.org_id == 2));
                        for document in &list.read(&pool).await? {
                            assert_shown(std::str::from_utf8(document.json())?);
                        }
                    }
                }
                let list = own.order_by(OrderBy::desc("cost"));
                let first = list.page(Page::first(4), &pool).await?;
                let second = list.page(Page::first(4).after(first.end().cloned()), &pool).await?;
                assert_eq!((first.len(), second.len()), (4, 2));
                for (_, document) in first.items().chain(second.items()) {
                    assert_shown(std::str::from_utf8(document.json())?);
                }
                Ok(())
            }
        }
    )*};
}

views! {
    jsonb "table" "jsonb";
    json "table" "json";
    live "live" "jsonb";
    live_json "live" "json";
    matview "matview" "jsonb";
}

/// A document has the fields that are not hidden.
#[track_caller]
fn assert_shown(document: &str) {
    let document: serde_json::Value = serde_json::from_str(document).unwrap();
    let fields: Vec<&String> = document.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["id", "title"], "{document}");
}

use jsonb::{Ticket, sync_all_tickets, sync_ticket, verify_ticket};

async fn tickets() -> PgPool {
    let pool = fraiseql_tests::pool().await;
    fraiseql_tests::run(&pool, TABLES).await;
    fraiseql_tests::world::model::<Ticket>()
        .migrate(&pool)
        .await
        .unwrap();
    sync_all_tickets(&pool).await.unwrap();
    pool
}

#[tokio::test]
async fn a_changed_hidden_value_is_synced_and_found_by_a_verification() -> anyhow::Result<()> {
    let pool = tickets().await;
    let stored = json!({"id": 3, "title": "Ticket 3"});
    fraiseql_tests::run(&pool, "UPDATE tb_ticket SET cost = 99 WHERE id = 3").await;
    assert!(!verify_ticket(&pool).await?.is_clean());
    assert_eq!(sync_ticket(&pool, &[3]).await?.updated, 1);
    assert_eq!(sync_ticket(&pool, &[3]).await?.unchanged, 1);
    let ticket = Ticket::of(2).find(&pool, 3).await?.unwrap();
    assert_eq!(ticket.cost, Decimal::from(99));
    assert_eq!(serde_json::to_value(&ticket)?, stored);
    assert!(verify_ticket(&pool).await?.is_clean());
    Ok(())
}

#[tokio::test]
async fn stale_documents_are_built_with_their_hidden_values() -> anyhow::Result<()> {
    let pool = tickets().await;
    fraiseql_tests::run(&pool, "UPDATE tv_ticket SET shape = 1 WHERE id <> 5").await;
    let own = Ticket::of(2);
    let ticket = own.find(&pool, 3).await?.unwrap();
    assert_eq!(
        (ticket.org_id, ticket.status, ticket.notes),
        (2, Status::Closed, 3)
    );
    assert_shown(own.find_json(&pool, 3).await?.unwrap().get());
    let many = own.find_many(&pool, &[5, 3]).await?;
    assert_eq!(many.iter().map(|one| one.id).collect::<Vec<_>>(), [5, 3]);
    let list: Vec<Ticket> = own.list().fetch(&pool).await?;
    assert!(list.len() == 6 && list.iter().all(|ticket| ticket.org_id == 2));
    for document in &own.list().read(&pool).await? {
        assert_shown(std::str::from_utf8(document.json())?);
    }
    Ok(())
}

#[tokio::test]
async fn a_hidden_value_that_is_invalid_is_reported_with_its_field() -> anyhow::Result<()> {
    let pool = tickets().await;
    fraiseql_tests::run(&pool, "UPDATE tb_ticket SET status = 'lost' WHERE id = 3").await;
    let report = sync_ticket(&pool, &[3]).await?;
    assert_eq!(report.invalid[0].reason, "status: lost is no Status");
    Ok(())
}

#[tokio::test]
async fn a_selection_does_not_have_hidden_fields() {
    use fraiseql_runtime::Projection;
    assert_eq!(
        Projection::all::<Ticket>().selection().to_string(),
        "{ id title }"
    );
    let selection = "{ id orgId }".parse().unwrap();
    let error = Projection::of::<Ticket>(&selection)
        .unwrap_err()
        .to_string();
    assert!(error.contains("`Ticket` has no field `orgId`"), "{error}");
}
