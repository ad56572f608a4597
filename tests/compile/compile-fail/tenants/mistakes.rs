//! All mistakes about a tenant are reported at once, each at its token.

use fraiseql_runtime::{Embed, TView};

#[derive(TView)]
struct Post {
    id: i64,
    #[tview(tenant)]
    org_id: i64,
    #[tview(tenant)]
    team_id: i64,
    #[tview(one(fk = "author_id"), tenant)]
    author: Author,
    #[tview(tenant, expr = "lower({}.owner)")]
    owner: String,
    #[tview(tenant, skip)]
    skipped: i64,
}

#[derive(TView)]
struct Page {
    id: i64,
    #[tview(tenant, unique)]
    org_id: i64,
}

#[derive(TView)]
struct Draft {
    id: i64,
    #[tview(tenant, index = false)]
    org_id: i64,
}

#[derive(Embed)]
#[tview(table = "tb_user")]
struct Author {
    id: i64,
    #[tview(tenant)]
    org_id: i64,
}

#[derive(TView)]
#[tview(index(on = "title", global))]
struct Untenanted {
    id: i64,
    #[tview(filter)]
    title: String,
}

#[derive(TView)]
#[tview(index(gin, global))]
struct Searched {
    id: i64,
    #[tview(tenant = "org_id")]
    org_id: i64,
}

fn main() {
    // No errors that follow from the others.
    let _ = Page::of(7);
}
