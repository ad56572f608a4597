//! The statements of a materialized view: its definition, its refresh, and the age of its documents.
//!
//! It has the columns of a view table that reads need: the key, the promoted columns, `data` and `shape`.
//! So `find` and lists are the same statements for both. It has no column that says when a document
//! was built: a refresh compares all columns, and would replace every row.
//!
//! When it was refreshed is in a table of its own, `fraiseql_refresh`, one row for each view. A
//! refresh locks that row: a worker passes over a view that another one refreshes, and a call waits.

use crate::schema::bookkeeping::{DATA, SHAPE};
use crate::schema::{Storage, Table, View};
use crate::sql::differences::label;
use crate::sql::document::{self, BatchSize};
use crate::sql::hash::fnv1a;
use crate::sql::identifier::shortened;
use crate::sql::shape;
use crate::sql::text::{Sql, column, ident, literal};

/// The table of refreshes, in the schema of the materialized view.
pub(crate) const TABLE: &str = "fraiseql_refresh";

/// The statements of a materialized view.
#[derive(Debug)]
pub struct MatviewSql {
    /// Creates it without rows.
    pub create: String,
    /// Builds all documents. Reads wait meanwhile.
    pub fill: String,
    /// Builds all documents, and replaces those that differ. Reads go on.
    pub refresh: String,
    /// The comment by which a migration recognizes the definition.
    pub(crate) comment: String,
    /// The text of that comment.
    pub(crate) mark: String,
    /// Sets lz4 as the compression of documents.
    pub(crate) compress: String,
    /// Creates and fills it under another name, beside the old one.
    pub(crate) create_new: String,
    pub(crate) compress_new: String,
    pub(crate) fill_new: String,
    /// Puts the new one in the place of the old one.
    pub(crate) swap: [String; 2],
    /// Creates the table of refreshes.
    pub(crate) create_refreshes: String,
    /// Notes that the documents are built now.
    pub(crate) note: String,
    /// Begins a refresh: locks the row of the view. Returns whether the view has been filled.
    pub(crate) begin: String,
    /// Begins a refresh if the last one, or the last attempt, is older than `$1` seconds. Returns no
    /// row if it is not, or if another one is running.
    pub(crate) begin_due: String,
    /// Ends a refresh.
    pub(crate) end: String,
    /// Notes that a refresh has failed, with the error `$1`.
    pub(crate) fail: String,
    /// How old the documents are, in seconds.
    pub(crate) age: String,
}

/// The table of refreshes of a view.
pub(crate) fn refreshes(view: &View) -> Table {
    Table {
        schema: view.table.schema,
        name: TABLE,
    }
}

/// Composes the statements of a view, whose shape has the number `number`. `None` if its storage is
/// another one.
pub(crate) fn compose(view: &View, number: i64) -> Option<MatviewSql> {
    let Storage::Matview { .. } = view.storage else {
        return None;
    };
    let name = view.table.to_string();
    let new = format!(
        "{}.{}",
        ident(view.table.schema),
        ident(&shortened(view.table.name, "_new"))
    );
    let create = |name: &str| {
        let mut sql = Sql::new();
        sql.line(format!("CREATE MATERIALIZED VIEW {name} AS"));
        definition(&mut sql, view, number);
        sql.line("WITH NO DATA");
        sql.finish()
    };
    let compress = |name: &str| {
        format!("ALTER MATERIALIZED VIEW {name} ALTER COLUMN {DATA} SET COMPRESSION lz4")
    };
    let fill = |name: &str| format!("REFRESH MATERIALIZED VIEW {name}");
    let mark = format!("fraiseql {:016x}", fnv1a(&create(&name)));
    let (table, key) = (refreshes(view), literal(&name));
    Some(MatviewSql {
        comment: format!("COMMENT ON MATERIALIZED VIEW {name} IS {}", literal(&mark)),
        mark,
        compress: compress(&name),
        create_new: create(&new),
        compress_new: compress(&new),
        fill_new: fill(&new),
        swap: [
            format!("DROP MATERIALIZED VIEW {name}"),
            format!(
                "ALTER MATERIALIZED VIEW {new} RENAME TO {}",
                ident(view.table.name)
            ),
        ],
        create_refreshes: format!(
            "CREATE TABLE {table} (\n  \
               view text PRIMARY KEY,\n  \
               started_at timestamptz,\n  \
               refreshed_at timestamptz NOT NULL,\n  \
               took interval NOT NULL,\n  \
               failed_at timestamptz,\n  \
               error text\n\
             )"
        ),
        note: format!(
            "INSERT INTO {table} (view, refreshed_at, took)\n\
             VALUES ({key}, pg_catalog.clock_timestamp(), '0')\n\
             ON CONFLICT (view) DO UPDATE\n\
             SET refreshed_at = EXCLUDED.refreshed_at, took = '0', failed_at = NULL, error = NULL"
        ),
        begin: begin(view, &format!("r.view = {key}")),
        begin_due: begin(
            view,
            &format!(
                "r.view = (\n  \
                   SELECT due.view\n  \
                   FROM {table} AS due\n  \
                   WHERE due.view = {key}\n    \
                     AND greatest(due.refreshed_at, due.failed_at)\n      \
                       <= pg_catalog.clock_timestamp() - pg_catalog.make_interval(secs => $1)\n  \
                   FOR UPDATE SKIP LOCKED\n\
                 )"
            ),
        ),
        end: format!(
            "UPDATE {table} AS r\n\
             SET refreshed_at = r.started_at, took = pg_catalog.clock_timestamp() - r.started_at,\n  \
               failed_at = NULL, error = NULL\n\
             WHERE r.view = {key}"
        ),
        fail: format!(
            "UPDATE {table} AS r\n\
             SET failed_at = pg_catalog.clock_timestamp(), error = $1\n\
             WHERE r.view = {key}"
        ),
        age: format!(
            "SELECT extract(epoch FROM pg_catalog.clock_timestamp() - r.refreshed_at)::float8\n\
             FROM {table} AS r\n\
             WHERE r.view = {key}"
        ),
        fill: fill(&name),
        refresh: format!("REFRESH MATERIALIZED VIEW CONCURRENTLY {name}"),
        create: create(&name),
    })
}

/// The columns of the view table that reads need, of all documents.
fn definition(sql: &mut Sql, view: &View, number: i64) {
    let promoted = view.shape.fields.iter().filter_map(|field| {
        let promoted = field.promoted?;
        let ty = field.source.scalar()?.sql_name();
        let value = column("b", &label(view, promoted.column));
        Some(format!("{value}::{ty} AS {}", ident(promoted.column)))
    });
    let key = match view.key.single() {
        // The base table may have another type.
        Some((_, ty)) => format!("b.\"key\"::{} AS {}", ty.sql, view.key_list()),
        None => view.key.aliased("b.\"key\"", &view.key_columns()),
    };
    let data = format!("b.\"data\" AS {DATA}");
    let shape = format!("{} AS {SHAPE}", shape::literal(number));
    sql.line("SELECT");
    sql.block_list([key].into_iter().chain(promoted).chain([data, shape]));
    sql.block("FROM (", ") AS b", |sql| {
        document::write(sql, view, BatchSize::Many, |_| Vec::new());
    });
}

/// The row of the view is locked before its refresh takes a snapshot, so `started_at` is never later
/// than what the documents show.
fn begin(view: &View, condition: &str) -> String {
    format!(
        "UPDATE {} AS r\n\
         SET started_at = pg_catalog.clock_timestamp()\n\
         WHERE {condition}\n\
         RETURNING (\n  \
           SELECT c.relispopulated FROM pg_catalog.pg_class AS c\n  \
           WHERE c.oid = pg_catalog.to_regclass({})\n\
         )",
        refreshes(view),
        literal(&view.table.to_string())
    )
}
