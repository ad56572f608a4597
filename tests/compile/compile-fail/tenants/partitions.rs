//! Partitions by a tenant that cannot be.

use fraiseql_runtime::TView;

/// It is no column of the key.
#[derive(TView)]
#[tview(partition(hash = 8, tenant))]
pub struct Ticket {
    pub id: i64,
    #[tview(tenant)]
    pub org_id: i64,
}

/// There is none.
#[derive(TView)]
#[tview(partition(hash = 8, tenant))]
pub struct Note {
    #[tview(key)]
    pub org_id: i64,
    #[tview(key)]
    pub no: i64,
}

/// Ranges are of keys.
#[derive(TView)]
#[tview(partition(range = "5, 6", tenant))]
pub struct Line {
    pub id: i64,
}

/// An index of another tenant's documents, too, cannot be unique.
#[derive(TView)]
#[tview(partition(hash = 8, tenant), index(on = "slug", unique, global))]
pub struct Page {
    #[tview(key, tenant)]
    pub org_id: i64,
    #[tview(key)]
    pub no: i64,
    #[tview(filter)]
    pub slug: String,
}

fn main() {}
