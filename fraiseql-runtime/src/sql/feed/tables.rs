//! The tables that the feed is kept in.

use crate::sql::text::{Sql, ident};

/// The name of the table of changed documents.
pub(crate) const CHANGES: &str = "fraiseql_document_change";

/// The name of the table of its readers.
pub(crate) const STATE: &str = "fraiseql_feed";

/// The storage of the changes. They live for minutes, and are never updated.
const STORAGE: [&str; 6] = [
    "autovacuum_vacuum_scale_factor = 0",
    "autovacuum_vacuum_threshold = 5000",
    "autovacuum_vacuum_insert_scale_factor = 0",
    "autovacuum_vacuum_insert_threshold = 20000",
    "autovacuum_analyze_scale_factor = 0",
    "autovacuum_analyze_threshold = 20000",
];

/// Creates the table of changed documents. `xid` is that of the transaction which writes the row, and of which a
/// snapshot says whether it sees it.
pub(crate) fn create_changes(schema: &str) -> String {
    let mut sql = Sql::new();
    sql.block(
        format!("CREATE TABLE {}.{} (", ident(schema), ident(CHANGES)),
        format!(") WITH ({})", STORAGE.join(", ")),
        |sql| {
            sql.list(
                [
                    "xid xid8 NOT NULL DEFAULT pg_catalog.pg_current_xact_id()",
                    "\"table\" text NOT NULL",
                    "keys text[]",
                    "tenants text[]",
                ]
                .map(str::to_owned),
            );
        },
    );
    sql.finish()
}

/// Creates the index by which readers find what is new. No row is found in another way, so there is no key.
pub(crate) fn create_changes_index(schema: &str) -> String {
    format!(
        "CREATE INDEX {} ON {}.{} (xid)",
        ident("fraiseql_document_change_xid_idx"),
        ident(schema),
        ident(CHANGES)
    )
}

/// Creates the table of readers. The row without a name says which changes were deleted: all before `pruned`; and all
/// before `mark`, which was the first unfinished transaction at `marked_at`, are the next. The other columns are those of a
/// reader that sleeps, and of a sink: who runs it, until when; from where on it reads, on which run of the server; how far
/// its pass over all documents is, and since which version; and the version of its last batch.
pub(crate) fn create_state(schema: &str) -> String {
    let mut sql = Sql::new();
    sql.block(
        format!("CREATE TABLE {}.{} (", ident(schema), ident(STATE)),
        ")",
        |sql| {
            sql.list(
                [
                    "name text PRIMARY KEY",
                    "pruned xid8",
                    "mark xid8",
                    "marked_at timestamptz",
                    "sleeps_until timestamptz",
                    "held_by text",
                    "held_until timestamptz",
                    "position text",
                    "server text",
                    "pass text",
                    "pass_version int8",
                    "version int8 NOT NULL DEFAULT 0",
                ]
                .map(str::to_owned),
            );
        },
    );
    sql.finish()
}
