//! The statements with which an advice measures: samples, copies of documents, and statistics.

use crate::schema::{Columns, Table, View};
use crate::sql::function::change::{is_not_null, tuple_of};

/// The share of a table's pages that a sample of `$2` of `$3` rows needs, in percent.
const SHARE: &str = "least(100, greatest(0.01, 100 * 20 * $1::float8 / greatest(1, $2::float8)))";

/// About `$1` random values of a column, of a table with about `$2` rows, as an array. `sampled` is
/// whether the relation has pages, as tables and materialized views do.
pub(crate) fn values(table: Table, columns: Columns, sampled: bool) -> String {
    let (value, is_not_null) = (tuple_of(columns, "r"), is_not_null(columns, "r"));
    let sample = if sampled {
        format!(" TABLESAMPLE SYSTEM ({SHARE})")
    } else {
        String::new()
    };
    format!(
        "SELECT coalesce(pg_catalog.array_agg(s.value), '{{}}')\n\
         FROM (\n  \
           SELECT {value} AS value\n  \
           FROM {table} AS r{sample}\n  \
           WHERE {is_not_null} AND $2::float8 IS NOT NULL\n  \
           ORDER BY pg_catalog.random()\n  \
           LIMIT $1::int8\n\
         ) AS s"
    )
}

/// The type of the column `$2` of the relation `$1`, below domains, its kind, and about how many rows
/// it has; -1 if it was never analyzed.
pub(crate) const COLUMN: &str = "\
SELECT
  (CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END)::pg_catalog.regtype::text AS ty,
  c.relkind IN ('r', 'm', 'p') AS sampled,
  c.reltuples::float8 AS rows
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attname = $2 AND NOT a.attisdropped
JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
WHERE c.oid = pg_catalog.to_regclass($1)";

/// How many rows of the relation `$1` and its partitions were written in a day, and for how many days that
/// was counted.
pub(crate) const WRITES: &str = "\
SELECT
  coalesce(pg_catalog.sum(s.n_tup_ins + s.n_tup_upd + s.n_tup_del), 0)::float8 / w.days AS writes,
  w.days
FROM (
  SELECT greatest(
    1e-9,
    extract(epoch FROM pg_catalog.clock_timestamp()
      - coalesce(d.stats_reset, pg_catalog.pg_postmaster_start_time())) / 86400
  )::float8 AS days
  FROM pg_catalog.pg_stat_database AS d
  WHERE d.datname = pg_catalog.current_database()
) AS w
LEFT JOIN pg_catalog.pg_stat_all_tables AS s ON s.relid IN (
  SELECT pg_catalog.to_regclass($1)
  UNION
  SELECT i.inhrelid FROM pg_catalog.pg_inherits AS i WHERE i.inhparent = pg_catalog.to_regclass($1)
)
GROUP BY w.days";

/// The temporary tables with copies of documents, one for each type of their column.
pub(crate) fn copy_name(data: &str) -> String {
    format!("fraiseql_advise_{data}")
}

/// Creates a temporary table for copies of documents.
pub(crate) fn create_copy(view: &View, data: &str) -> String {
    format!(
        "CREATE TEMPORARY TABLE {} (\"key\" {} PRIMARY KEY, data {data} NOT NULL) ON COMMIT DROP",
        copy_name(data),
        view.key.sql_type()
    )
}

/// Stores the documents of the keys `$1`, built by a statement with the parameters of
/// [`ReadSql::build`](crate::sql::read::ReadSql::build).
pub(crate) fn fill_copy(view: &View, build: &str, data: &str) -> String {
    format!(
        "INSERT INTO pg_temp.{}\n\
         SELECT ($1::{}[])[d.place], d.data::{data}\n\
         FROM (\n{build}\n) AS d (data, place)\n\
         ON CONFLICT (\"key\") DO UPDATE SET data = EXCLUDED.data",
        copy_name(data),
        view.key.sql_type()
    )
}

/// Reads one document of a copy.
pub(crate) fn read_copy(view: &View, data: &str) -> String {
    format!(
        "SELECT c.data FROM pg_temp.{} AS c WHERE c.\"key\" = ($1::{}[])[1]",
        copy_name(data),
        view.key.sql_type()
    )
}

/// The mean size of the documents of a copy: stored, with compression, and as text.
pub(crate) fn sizes(data: &str) -> String {
    format!(
        "SELECT coalesce(pg_catalog.avg(pg_catalog.pg_column_size(c.data)), 0)::float8,\n  \
           coalesce(pg_catalog.avg(pg_catalog.octet_length(c.data::text)), 0)::float8\n\
         FROM pg_temp.{} AS c",
        copy_name(data)
    )
}

/// Lets the planner use the index of a copy, which has few rows.
pub(crate) const NO_SCANS: &str = "SELECT pg_catalog.set_config('enable_seqscan', 'off', true)";
