//! Tests of views with a tenant: reads of one tenant, across tenants, and what tenants share.

mod any_read;
mod hidden;
mod indexes;
mod migrations;
mod moves;
mod plans;
mod reads;
mod row_security;
mod storages;

use fraiseql_runtime::TView;
use sqlx::PgPool;

/// Tickets 1 to 60 of the organizations 1 to 3, in turn. Ticket `n` of an organization has the slug of
/// ticket `n` of the others.
const TABLES: &str = "
CREATE TABLE tb_ticket (
    id int8 PRIMARY KEY, org_id int8 NOT NULL, title text NOT NULL, priority int4, slug text NOT NULL,
    UNIQUE (org_id, slug));
INSERT INTO tb_ticket
    SELECT n, 1 + n % 3, 'Ticket ' || n, nullif(n % 7, 0), 's' || n / 3 FROM generate_series(1, 60) AS n;
";

#[derive(Debug, PartialEq, TView)]
struct Ticket {
    id: i64,
    #[tview(tenant)]
    org_id: i64,
    title: String,
    #[tview(filter, sort)]
    priority: Option<i32>,
    #[tview(unique)]
    slug: String,
}

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

/// The keys of an organization's tickets.
fn ids(org: i64) -> Vec<i64> {
    (1..=60).filter(|id| 1 + id % 3 == org).collect()
}
