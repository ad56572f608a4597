//! Queries about rows that PostgreSQL deletes or changes when other rows are deleted: the foreign
//! keys with such an action, and lookups along them. Tables are named at run time, from the
//! catalog.

use crate::sql::text::{Sql, column, ident};

/// The foreign keys with ON DELETE CASCADE, SET NULL or SET DEFAULT. Those of partitions are not
/// repeated, and one of several columns has null in `fk` and `key`.
pub(crate) const FOREIGN_KEYS: &str = "\
SELECT
  pn.nspname::text AS parent_schema,
  p.relname::text AS parent_name,
  cn.nspname::text AS child_schema,
  c.relname::text AS child_name,
  k.conname::text AS name,
  k.confdeltype = 'c' AS deletes,
  b.attname::text AS key,
  CASE t.oid
    WHEN 'pg_catalog.int2'::pg_catalog.regtype THEN 'int2'
    WHEN 'pg_catalog.int4'::pg_catalog.regtype THEN 'int4'
    WHEN 'pg_catalog.int8'::pg_catalog.regtype THEN 'int8'
    WHEN 'pg_catalog.uuid'::pg_catalog.regtype THEN 'uuid'
    WHEN 'pg_catalog.text'::pg_catalog.regtype THEN 'text'
    WHEN 'pg_catalog.varchar'::pg_catalog.regtype THEN 'text'
  END AS key_type,
  a.attname::text AS fk
FROM pg_catalog.pg_constraint AS k
JOIN pg_catalog.pg_class AS p ON p.oid = k.confrelid
JOIN pg_catalog.pg_namespace AS pn ON pn.oid = p.relnamespace
JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace AS cn ON cn.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_attribute AS a
  ON a.attrelid = k.conrelid AND k.conkey = ARRAY[a.attnum]
LEFT JOIN pg_catalog.pg_attribute AS b
  ON b.attrelid = k.confrelid AND k.confkey = ARRAY[b.attnum]
LEFT JOIN pg_catalog.pg_type AS t ON t.oid = b.atttypid
WHERE k.contype = 'f' AND k.confdeltype IN ('c', 'n', 'd') AND k.conparentid = 0
ORDER BY pn.nspname, p.relname, cn.nspname, c.relname, k.conname";

/// The distinct values of the column `wanted`, of type `wanted_ty`, in the rows whose column `by`,
/// of type `by_ty`, is in `$1`: one sorted array of at most `$2` values.
pub(crate) fn values(
    (schema, name): (&str, &str),
    by: &str,
    by_ty: &str,
    wanted: &str,
    wanted_ty: &str,
) -> String {
    let (by, wanted) = (column("r", by), column("r", wanted));
    let order = if wanted_ty == "text" {
        " COLLATE \"C\""
    } else {
        ""
    };
    let mut sql = Sql::new();
    sql.line("SELECT");
    sql.indented(|sql| {
        sql.block("ARRAY(", ") AS keys", |sql| {
            sql.line(format!(
                "SELECT DISTINCT {wanted}::{wanted_ty}{order} AS key"
            ));
            sql.line(format!("FROM {}.{} AS r", ident(schema), ident(name)));
            sql.line(format!(
                "WHERE {by} = ANY ($1::{by_ty}[]) AND {wanted} IS NOT NULL"
            ));
            sql.line("ORDER BY 1");
            sql.line("LIMIT $2");
        });
    });
    sql.finish()
}
