//! Snapshots of the statements around the query of a document: locks, deletes, reads.

use std::fmt::Write as _;

use fraiseql_runtime::TView as _;

/// The statements around the query, for a view with parts, lists and a filter.
#[test]
fn the_statements_of_a_sync() {
    use fraiseql_tests::world::blog::Post;
    let statements = Post::statements();
    let sync = &statements.sync;
    let mut out = format!("-- write_few\n{}\n", sync.write_few);
    writeln!(out, "\n-- write_one\n{}", sync.write_one).unwrap();
    writeln!(out, "\n-- write_locked_few\n{}", sync.write_locked_few).unwrap();
    writeln!(out, "\n-- replace\n{}", statements.parts[0].replace).unwrap();
    for (name, sql) in [
        ("announce", &sync.announce),
        ("lock", &sync.lock),
        ("lock_documents", &sync.lock_documents),
        ("still_writing", &sync.still_writing),
        ("overwritten", &sync.overwritten),
        ("delete_orphans", &sync.delete_orphans),
        ("delete", &sync.delete),
        ("reject_reasons", &sync.reject_reasons),
        ("first_keys", &sync.first_keys),
        ("next_keys", &sync.next_keys),
        ("find", &statements.read.find),
        ("find_many", &statements.read.find_many),
        ("create_table_lz4", &statements.ddl.create_table_lz4),
    ] {
        writeln!(out, "\n-- {name}\n{sql}").unwrap();
    }
    insta::assert_snapshot!(out);
}

/// A view with a tenant and hidden fields.
mod ticket {
    use fraiseql_runtime::TView;

    #[derive(TView)]
    #[allow(dead_code)]
    pub(super) struct Ticket {
        pub(super) id: i64,
        #[tview(tenant, hidden)]
        pub(super) org_id: i64,
        #[tview(unique)]
        pub(super) slug: String,
        #[tview(expr = "lower({}.title)", sort, hidden)]
        pub(super) lower_title: String,
    }
}

/// Each read of one tenant compares it; across tenants none does.
#[test]
fn the_statements_of_a_view_with_a_tenant() {
    use fraiseql_runtime::list::{Filter, OrderBy, Page};
    use ticket::Ticket;
    let statements = Ticket::statements();
    let own = statements.read.of_tenant.as_ref().unwrap();
    let mut out = String::new();
    for (name, sql) in [
        ("find", &own.find),
        ("find_many", &own.find_many),
        ("build", &own.build),
        (
            "clear_unique",
            statements.sync.clear_unique.as_ref().unwrap(),
        ),
        (
            "unique_holders",
            statements.sync.unique_holders.as_ref().unwrap(),
        ),
        ("find, across tenants", &statements.read.find),
    ] {
        writeln!(out, "-- {name}\n{sql}\n").unwrap();
    }
    let list = Ticket::of(7)
        .list()
        .filter(Filter::eq("slug", "notes"))
        .order_by(OrderBy::asc("lowerTitle"));
    writeln!(out, "-- list\n{}\n", list.sql().unwrap()).unwrap();
    let page = list.page_sql(&Page::last(20)).unwrap();
    writeln!(out, "-- page\n{page}\n").unwrap();
    for index in &statements.ddl.indexes {
        writeln!(out, "{}", index.sql).unwrap();
    }
    insta::assert_snapshot!(out);
    let all = Ticket::across_tenants().list().sql().unwrap();
    assert!(!all.contains("org_id"), "{all}");
}
