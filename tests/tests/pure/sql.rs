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
