//! Catalog queries of `check`: the server, and its tables, columns, types, indexes and foreign
//! keys.
//!
//! Object identifiers are cast to `int8`, so that Rust reads them as numbers.

/// The server, and the role and database of the session: one row.
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

/// The definition of the view `$1`; null if it is not a view.
pub(crate) const VIEW_DEFINITION: &str =
    "SELECT pg_catalog.pg_get_viewdef(pg_catalog.to_regclass($1)::oid)";

/// The functions with one of the names `$1`, in the search path or in the schemas `$2`, that are not
/// IMMUTABLE: a row for each, with whether another function of that name is.
pub(crate) const CALLED_FUNCTIONS: &str = "\
SELECT
  p.proname::text AS name,
  p.oid::pg_catalog.regprocedure::text AS signature,
  p.oid < 16384 AS is_built_in,
  p.provolatile = 'v' AS is_volatile,
  EXISTS (
    SELECT FROM pg_catalog.pg_proc AS o
    WHERE o.proname = p.proname AND o.provolatile = 'i' AND (o.oid < 16384) = (p.oid < 16384)
  ) AS is_ambiguous
FROM pg_catalog.pg_proc AS p
WHERE p.proname = ANY ($1::text[]::name[]) AND p.provolatile <> 'i'
  AND (
    pg_catalog.pg_function_is_visible(p.oid)
    OR p.pronamespace::pg_catalog.regnamespace::text = ANY ($2::text[])
  )
ORDER BY p.provolatile DESC, p.oid";

/// The tables `$2` in the schemas `$1`: one row for each, in this order, also if it does not
/// exist.
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
  pg_catalog.row_security_active(c.oid) AS row_security,
  c.relpersistence = 'u' AS unlogged,
  ARRAY(
    SELECT coalesce(a.attname::text, '')
    FROM pg_catalog.pg_partitioned_table AS t
    CROSS JOIN LATERAL pg_catalog.unnest(t.partattrs::int2[]) AS k (number)
    LEFT JOIN pg_catalog.pg_attribute AS a
      ON a.attrelid = c.oid AND a.attnum = k.number AND k.number <> 0
    WHERE t.partrelid = c.oid
  ) AS partitioned_by
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

/// The columns of the relations `$1`. A CHECK constraint that is just IS NOT NULL counts as NOT
/// NULL; a NOT NULL constraint that is not validated does not.
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

/// The indexes of the relations `$1`. An indexed expression is a null in `columns`.
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

/// The tables that have rows of the relations `$1`: their partitions, and tables that inherit from them,
/// at any depth. A partition that is partitioned itself has none of its own.
pub(crate) const CHILDREN: &str = "\
WITH RECURSIVE below AS (
  SELECT h.inhparent AS relation, h.inhrelid AS oid
  FROM pg_catalog.pg_inherits AS h
  WHERE h.inhparent = ANY ($1::int8[]::oid[])
  UNION
  SELECT b.relation, h.inhrelid
  FROM below AS b
  JOIN pg_catalog.pg_inherits AS h ON h.inhparent = b.oid
)
SELECT
  b.relation::int8 AS relation,
  c.oid::int8 AS oid,
  n.nspname::text AS schema,
  c.relname::text AS name,
  c.relkind = 'f' AS is_foreign
FROM below AS b
JOIN pg_catalog.pg_class AS c ON c.oid = b.oid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'f')
ORDER BY n.nspname, c.relname";

/// The validated foreign keys of the relations `$1`: one row for each column.
pub(crate) const FOREIGN_KEYS: &str = "\
SELECT
  k.conrelid::int8 AS relation,
  k.oid::int8 AS constraint,
  a.attname::text AS fk,
  k.confrelid::int8 AS parent,
  b.attname::text AS key
FROM pg_catalog.pg_constraint AS k
CROSS JOIN LATERAL
  ROWS FROM (pg_catalog.unnest(k.conkey), pg_catalog.unnest(k.confkey)) AS p (fk, key)
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = p.fk
JOIN pg_catalog.pg_attribute AS b ON b.attrelid = k.confrelid AND b.attnum = p.key
WHERE k.contype = 'f' AND k.convalidated AND k.conrelid = ANY ($1::int8[]::oid[])";

/// The types `$1`, and those that they are made of: the base type of a domain, the element type of
/// an array. `as_json` is whether a cast function to json exists, which `to_jsonb` then uses.
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

/// The identifier of the type with the name `$1`; null if there is none.
pub(crate) const TYPE_NAMED: &str = "SELECT pg_catalog.to_regtype($1)::oid::int8";

/// The text search configurations: schemas and names, those of PostgreSQL first.
pub(crate) const TEXT_SEARCH_CONFIGURATIONS: &str = "\
SELECT n.nspname::text AS schema, c.cfgname::text AS name
FROM pg_catalog.pg_ts_config AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.cfgnamespace
ORDER BY n.nspname <> 'pg_catalog', n.nspname, c.cfgname";

/// All tables and views but those of the system, to suggest one for an unknown name.
pub(crate) const ALL_RELATIONS: &str = "\
SELECT n.nspname::text AS schema, c.relname::text AS name
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
ORDER BY n.nspname, c.relname";

/// The table `$2` in the schema `$1`: one row with whether the role may use the schema, whether the
/// table exists, and those of the privileges `$3` that the role lacks.
pub(crate) const TABLE_PRIVILEGES: &str = "\
SELECT
  coalesce(pg_catalog.has_schema_privilege(n.oid, 'USAGE'), true) AS usage,
  c.oid IS NOT NULL AS exists,
  ARRAY(
    SELECT p.name
    FROM pg_catalog.unnest($3::text[]) WITH ORDINALITY AS p (name, place)
    WHERE NOT pg_catalog.has_table_privilege(c.oid, p.name)
    ORDER BY p.place
  ) AS lacking
FROM (SELECT) AS one
LEFT JOIN pg_catalog.pg_namespace AS n ON n.nspname = $1
LEFT JOIN pg_catalog.pg_class AS c
  ON c.relnamespace = n.oid AND c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'f')";

/// Those of the schemas `$1` that exist and that the role may not use.
pub(crate) const SCHEMAS_WITHOUT_USAGE: &str = "\
SELECT n.nspname::text AS name
FROM pg_catalog.pg_namespace AS n
WHERE n.nspname = ANY ($1::text[]) AND NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE')
ORDER BY n.nspname";

/// The tables that a mutation reads when rows of the relations `$1` are deleted, that are not among
/// these relations, and that the role may not read: those whose rows are deleted with them, and that
/// other rows reference.
pub(crate) const HIDDEN_CASCADES: &str = "\
WITH RECURSIVE deleted AS (
  SELECT k.conrelid AS oid
  FROM pg_catalog.pg_constraint AS k
  WHERE k.contype = 'f' AND k.confdeltype = 'c' AND k.confrelid = ANY ($1::int8[]::oid[])
  UNION
  SELECT k.conrelid
  FROM deleted AS d
  JOIN pg_catalog.pg_constraint AS k
    ON k.confrelid = d.oid AND k.contype = 'f' AND k.confdeltype = 'c'
)
SELECT
  n.nspname::text AS schema,
  c.relname::text AS name,
  pg_catalog.has_schema_privilege(n.oid, 'USAGE') AS usage
FROM deleted AS d
JOIN pg_catalog.pg_class AS c ON c.oid = d.oid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE NOT c.relispartition
  AND c.oid <> ALL ($1::int8[]::oid[])
  AND EXISTS (
    SELECT FROM pg_catalog.pg_constraint AS k
    WHERE k.contype = 'f' AND k.confrelid = c.oid AND k.confdeltype IN ('c', 'n', 'd')
  )
  AND NOT (
    pg_catalog.has_schema_privilege(n.oid, 'USAGE')
    AND pg_catalog.has_any_column_privilege(c.oid, 'SELECT')
  )
ORDER BY n.nspname, c.relname";

/// Makes the transaction of a check read-only.
pub(crate) const READ_ONLY: &str = "SET TRANSACTION READ ONLY";
/// Set before statements that the server may reject.
pub(crate) const SAVEPOINT: &str = "SAVEPOINT fraiseql_check";
/// Run after a statement that the server rejected.
pub(crate) const ROLLBACK: &str = "ROLLBACK TO SAVEPOINT fraiseql_check";
/// Run after a statement that the server accepted.
pub(crate) const DEALLOCATE: &str = "DEALLOCATE fraiseql_check";
/// Plans do not depend on values, which a check does not have.
pub(crate) const GENERIC_PLANS: &str = "SET LOCAL plan_cache_mode = 'force_generic_plan'";
/// The beginning of a statement that plans a prepared one, and so checks the privileges of the role
/// on all tables and functions in it. Its parameters follow.
pub(crate) const PLAN: &str = "EXPLAIN EXECUTE fraiseql_check";
/// The beginning of a statement that the server parses and analyzes, but does not execute.
pub(crate) const PREPARE: &str = "PREPARE fraiseql_check AS ";

/// The comment of the relation `$1`.
pub(crate) const COMMENT: &str =
    "SELECT pg_catalog.obj_description(pg_catalog.to_regclass($1)::oid, 'pg_class')";
