//! The change table.

use crate::sql::function::change::change_table;
use crate::sql::text::{Sql, ident};

/// The storage of the change table. Its rows live for moments, so it is vacuumed after a number of dead rows,
/// however large it once was, and without pauses; and a page has room for the new versions of rows that are tried
/// again.
const STORAGE: [&str; 8] = [
    "fillfactor = 85",
    "autovacuum_vacuum_scale_factor = 0",
    "autovacuum_vacuum_threshold = 2000",
    "autovacuum_vacuum_cost_delay = 0",
    "autovacuum_vacuum_insert_scale_factor = 0",
    "autovacuum_vacuum_insert_threshold = 20000",
    "autovacuum_analyze_scale_factor = 0",
    "autovacuum_analyze_threshold = 10000",
];

/// Creates the change table of a schema. `compression` is that of images: large ones are compressed ten times as
/// fast with lz4.
pub(crate) fn create(schema: &str, lz4: bool) -> String {
    let compression = if lz4 { " COMPRESSION lz4" } else { "" };
    let mut sql = Sql::new();
    sql.block(
        format!("CREATE TABLE {} (", change_table(schema)),
        format!(") WITH ({})", STORAGE.join(", ")),
        |sql| {
            sql.list([
                "model int8 NOT NULL".to_owned(),
                "xid xid8 NOT NULL DEFAULT pg_catalog.pg_current_xact_id()".to_owned(),
                "id int8 GENERATED ALWAYS AS IDENTITY".to_owned(),
                "\"table\" text NOT NULL".to_owned(),
                "operation text NOT NULL".to_owned(),
                format!("old jsonb{compression}"),
                format!("new jsonb{compression}"),
                "changed_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()".to_owned(),
                "attempts int4 NOT NULL DEFAULT 0".to_owned(),
                "retry_at timestamptz".to_owned(),
                "error text".to_owned(),
                "PRIMARY KEY (model, xid, id)".to_owned(),
            ]);
        },
    );
    sql.finish()
}

/// Creates the index of the rows that were left for later, by which the worker finds those that are due. Others are
/// not in it, so that it costs them nothing.
pub(crate) fn create_index(schema: &str) -> String {
    format!(
        "CREATE INDEX {} ON {} (model, retry_at) WHERE retry_at IS NOT NULL",
        ident("fraiseql_change_retry_at_idx"),
        change_table(schema)
    )
}
