//! Tenants of views without a view table.

use fraiseql_runtime::TView;
use fraiseql_runtime::list::{OrderBy, Page};

/// The same view in each storage.
macro_rules! views {
    ($($module:ident $storage:literal;)*) => {$(
        mod $module {
            use super::*;

            #[derive(Debug, TView)]
            #[tview(storage = $storage)]
            #[allow(dead_code)]
            struct Ticket {
                id: i64,
                #[tview(tenant)]
                org_id: i64,
                title: String,
                #[tview(filter, sort)]
                priority: Option<i32>,
            }

            #[tokio::test]
            async fn a_tenant_reads_its_documents_only() -> anyhow::Result<()> {
                let pool = fraiseql_tests::pool().await;
                fraiseql_tests::run(&pool, super::super::TABLES).await;
                let model = fraiseql_tests::world::model::<Ticket>();
                model.migrate(&pool).await?;
                sync_all_tickets(&pool).await?;
                for org in 1..=3 {
                    let own = Ticket::of(org);
                    let ids = super::super::ids(org);
                    let all: Vec<i64> = (1..=60).collect();
                    let found = own.find_many(&pool, &all).await?;
                    assert_eq!(found.iter().map(|one| one.id).collect::<Vec<_>>(), ids);
                    assert!(own.find(&pool, ids[0]).await?.is_some());
                    assert!(own.find(&pool, ids[0] + 1).await?.is_none());
                    let list: Vec<Ticket> = own.list().fetch(&pool).await?;
                    assert_eq!(list.iter().map(|one| one.id).collect::<Vec<_>>(), ids);
                    assert_eq!(own.list().count(&pool).await?, 20);
                    for order in [OrderBy::asc("priority"), OrderBy::desc("priority")] {
                        let list = own.list().order_by(order);
                        let first = list.page(Page::first(15), &pool).await?;
                        let rest = Page::first(15).after(first.end().cloned());
                        let rest = list.page(rest, &pool).await?;
                        assert_eq!((first.len(), rest.len()), (15, 5));
                        for (_, document) in first.items().chain(rest.items()) {
                            let ticket: Ticket = serde_json::from_slice(document.json())?;
                            assert_eq!(ticket.org_id, org);
                        }
                    }
                }
                assert_eq!(Ticket::across_tenants().list().read(&pool).await?.len(), 60);
                assert_eq!(Ticket::across_tenants().list().count(&pool).await?, 60);
                Ok(())
            }

            /// A session in which documents would be other JSON.
            #[tokio::test]
            async fn a_tenant_is_named_in_every_session() -> anyhow::Result<()> {
                let pool = fraiseql_tests::pool().await;
                fraiseql_tests::run(&pool, super::super::TABLES).await;
                fraiseql_tests::world::model::<Ticket>().migrate(&pool).await?;
                sync_all_tickets(&pool).await?;
                let mut connection = pool.acquire().await?;
                sqlx::raw_sql("SET TimeZone = 'Asia/Kolkata'; SET extra_float_digits = 0")
                    .execute(&mut *connection)
                    .await?;
                let list: Vec<Ticket> = Ticket::of(2).list().fetch(&mut connection).await?;
                assert_eq!(list.len(), 20);
                assert_eq!(Ticket::of(2).list().count(&mut connection).await?, 20);
                assert!(Ticket::of(2).find(&mut connection, 3).await?.is_none());
                Ok(())
            }
        }
    )*};
}

views! {
    table "table";
    live "live";
    matview "matview";
}
