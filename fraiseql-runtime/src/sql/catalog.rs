//! What `check` asks a server: about itself, and about tables, columns, types, indexes and
//! foreign keys.
//!
//! Object identifiers travel as `int8`.

/// One row: the server, and who asks.
pub(crate) const SERVER: &str = "\
SELECT
  pg_catalog.current_setting('server_version_num')::int4 AS version_number,
  pg_catalog.current_setting('server_version') AS version,
  pg_catalog.current_setting('server_encoding') AS encoding,
  pg_catalog.current_setting('default_transaction_isolation') AS isolation,
  pg_catalog.current_setting('default_transaction_read_only')::boolean AS read_only,
  pg_catalog.pg_is_in_recovery() AS standby,
  EXISTS (
    SELECT FROM pg_catalog.pg_settings
    WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals)
  ) AS lz4,
  current_user::text AS role,
  pg_catalog.current_database()::text AS database";

/// One row for each of the tables `$2` in the schemas `$1`, in this order.
pub(crate) const RELATIONS: &str = "\
SELECT
  n.oid IS NOT NULL AS schema_exists,
  coalesce(pg_catalog.has_schema_privilege(n.oid, 'USAGE'), true) AS usage,
  c.oid::int8 AS oid,
  c.relkind::text AS kind,
  p.can_insert,
  p.can_update,
  pg_catalog.has_table_privilege(c.oid, 'DELETE') AS can_delete,
  pg_catalog.has_any_column_privilege(c.oid, 'UPDATE') AS can_lock,
  pg_catalog.row_security_active(c.oid) AS row_security
FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[]))
  WITH ORDINALITY AS w (schema, name, place)
LEFT JOIN pg_catalog.pg_namespace AS n ON n.nspname = w.schema
LEFT JOIN pg_catalog.pg_class AS c
  ON c.relnamespace = n.oid AND c.relname = w.name AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
LEFT JOIN LATERAL (
  SELECT
    pg_catalog.bool_and(pg_catalog.has_column_privilege(c.oid, a.attnum, 'INSERT')) AS can_insert,
    pg_catalog.bool_and(pg_catalog.has_column_privilege(c.oid, a.attnum, 'UPDATE')) AS can_update
  FROM pg_catalog.pg_attribute AS a
  WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
) AS p ON true
ORDER BY w.place";

/// The columns of the relations `$1`. A CHECK that says nothing but IS NOT NULL is as good as
/// NOT NULL; a NOT NULL that is not validated yet is none.
pub(crate) const COLUMNS: &str = "\
SELECT
  a.attrelid::int8 AS relation,
  a.attname::text AS name,
  a.atttypid::int8 AS type,
  (a.attnotnull AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_constraint AS k
    WHERE k.conrelid = a.attrelid AND k.contype = 'n' AND NOT k.convalidated
      AND k.conkey = ARRAY[a.attnum]
  )) OR EXISTS (
    SELECT FROM pg_catalog.pg_constraint AS k
    WHERE k.conrelid = a.attrelid AND k.contype = 'c' AND k.convalidated
      AND k.conkey = ARRAY[a.attnum]
      AND pg_catalog.pg_get_expr(k.conbin, k.conrelid)
        = '(' || pg_catalog.quote_ident(a.attname) || ' IS NOT NULL)'
  ) AS never_null,
  pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'SELECT') AS can_select,
  pg_catalog.format_type(a.atttypid, a.atttypmod) AS written,
  coalesce(NOT l.collisdeterministic, false) AS folds
FROM pg_catalog.pg_attribute AS a
LEFT JOIN pg_catalog.pg_collation AS l ON l.oid = a.attcollation
WHERE a.attrelid = ANY ($1::int8[]::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum";

/// The indexes of the relations `$1`; an expression in one is a null among its columns.
pub(crate) const INDEXES: &str = "\
SELECT
  x.indrelid::int8 AS relation,
  n.nspname::text AS schema,
  i.relname::text AS name,
  ARRAY(
    SELECT a.attname::text
    FROM pg_catalog.unnest(x.indkey::int2[]) WITH ORDINALITY AS k (number, place)
    LEFT JOIN pg_catalog.pg_attribute AS a
      ON a.attrelid = x.indrelid AND a.attnum = k.number AND k.number <> 0
    WHERE k.place <= x.indnkeyatts
    ORDER BY k.place
  ) AS columns,
  x.indisunique AS is_unique,
  x.indisvalid AND x.indisready AS valid,
  x.indpred IS NOT NULL AS partial,
  x.indimmediate AS immediate,
  x.indisprimary AS is_primary,
  m.amname IN ('btree', 'hash') AS finds_equal
FROM pg_catalog.pg_index AS x
JOIN pg_catalog.pg_class AS i ON i.oid = x.indexrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = i.relnamespace
JOIN pg_catalog.pg_am AS m ON m.oid = i.relam
WHERE x.indrelid = ANY ($1::int8[]::oid[])
ORDER BY i.relname";

/// The validated foreign keys of the relations `$1`, column by column.
pub(crate) const FOREIGN_KEYS: &str = "\
SELECT
  k.conrelid::int8 AS relation,
  a.attname::text AS fk,
  k.confrelid::int8 AS parent,
  b.attname::text AS key
FROM pg_catalog.pg_constraint AS k
CROSS JOIN LATERAL
  ROWS FROM (pg_catalog.unnest(k.conkey), pg_catalog.unnest(k.confkey)) AS p (fk, key)
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = p.fk
JOIN pg_catalog.pg_attribute AS b ON b.attrelid = k.confrelid AND b.attnum = p.key
WHERE k.contype = 'f' AND k.convalidated AND k.conrelid = ANY ($1::int8[]::oid[])";

/// The types `$1`, and those that they are made of: the type under a domain, the element of
/// an array. `as_json` is whether `to_jsonb` makes of it what a cast to json makes.
pub(crate) const TYPES: &str = "\
WITH RECURSIVE found AS (
  SELECT t.oid FROM pg_catalog.pg_type AS t WHERE t.oid = ANY ($1::int8[]::oid[])
  UNION
  SELECT part.oid
  FROM found AS f
  JOIN pg_catalog.pg_type AS t ON t.oid = f.oid
  CROSS JOIN LATERAL (VALUES (t.typbasetype), (t.typelem)) AS part (oid)
  WHERE part.oid <> 0
)
SELECT
  t.oid::int8 AS oid,
  t.typname::text AS name,
  n.nspname = 'pg_catalog' AS built_in,
  t.typtype::text AS kind,
  t.typbasetype::int8 AS base,
  CASE WHEN t.typcategory = 'A' AND t.typlen = -1 THEN t.typelem::int8 ELSE 0 END AS element,
  t.typnotnull AS never_null,
  pg_catalog.format_type(t.oid, NULL) AS written,
  EXISTS (
    SELECT FROM pg_catalog.pg_cast AS c
    WHERE c.castsource = t.oid AND c.casttarget = 'pg_catalog.json'::pg_catalog.regtype
      AND c.castmethod = 'f'
  ) AS as_json,
  ARRAY(
    SELECT e.enumlabel::text
    FROM pg_catalog.pg_enum AS e
    WHERE e.enumtypid = t.oid
    ORDER BY e.enumsortorder
  ) AS labels
FROM found AS f
JOIN pg_catalog.pg_type AS t ON t.oid = f.oid
JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace";

/// The type that is called `$1`, or null.
pub(crate) const TYPE_NAMED: &str = "SELECT pg_catalog.to_regtype($1)::oid::int8";

/// Every table and view that is not the server's own, to find the one that was meant.
pub(crate) const ALL_RELATIONS: &str = "\
SELECT n.nspname::text AS schema, c.relname::text AS name
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
ORDER BY n.nspname, c.relname";

/// No statement of a check can change anything.
pub(crate) const READ_ONLY: &str = "SET TRANSACTION READ ONLY";
/// Before the questions that the server may refuse.
pub(crate) const SAVEPOINT: &str = "SAVEPOINT fraiseql_check";
/// After one that it refused.
pub(crate) const ROLLBACK: &str = "ROLLBACK TO SAVEPOINT fraiseql_check";
/// After one that it accepted.
pub(crate) const DEALLOCATE: &str = "DEALLOCATE fraiseql_check";
/// What makes a statement one that the server reads but does not run.
pub(crate) const PREPARE: &str = "PREPARE fraiseql_check AS ";
