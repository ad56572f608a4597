//! A tenant is one value that is never null.

use chrono::{DateTime, Utc};
use fraiseql_runtime::TView;

#[derive(TView)]
struct Optional {
    id: i64,
    #[tview(tenant)]
    org_id: Option<i64>,
}

type Maybe = Option<i64>;

#[derive(TView)]
struct Aliased {
    id: i64,
    #[tview(tenant)]
    org_id: Maybe,
}

#[derive(TView)]
struct Listed {
    id: i64,
    #[tview(tenant)]
    org_ids: Vec<i64>,
}

#[derive(TView)]
struct Dated {
    id: i64,
    #[tview(tenant)]
    since: DateTime<Utc>,
}

fn main() {}
