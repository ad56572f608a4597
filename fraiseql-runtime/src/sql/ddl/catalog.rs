//! Catalog queries about one view table. Unless stated otherwise, `$1` is its quoted name with
//! schema.

/// The kind and the storage of the relation; no row if it does not exist.
pub(crate) const TABLE: &str = "\
SELECT
  c.relkind::text AS kind,
  pg_catalog.obj_description(c.oid, 'pg_class') AS comment,
  c.relpersistence = 'u' AS unlogged,
  coalesce(
    (SELECT option_value::int4
     FROM pg_catalog.pg_options_to_table(c.reloptions)
     WHERE option_name = 'fillfactor'),
    100
  ) AS fillfactor,
  CASE p.partstrat WHEN 'h' THEN 'HASH' WHEN 'r' THEN 'RANGE' WHEN 'l' THEN 'LIST' END AS strategy,
  ARRAY(
    SELECT coalesce(a.attname::text, '')
    FROM pg_catalog.unnest(p.partattrs::int2[]) WITH ORDINALITY AS k (number, place)
    LEFT JOIN pg_catalog.pg_attribute AS a
      ON a.attrelid = c.oid AND a.attnum = k.number AND k.number <> 0
    ORDER BY k.place
  ) AS partition_key
FROM pg_catalog.pg_class AS c
LEFT JOIN pg_catalog.pg_partitioned_table AS p ON p.partrelid = c.oid
WHERE c.oid = pg_catalog.to_regclass($1)";

/// The columns of the table: names, types, and whether the type is the wanted one, by the arrays
/// `$2` of names and `$3` of types. Null for a column that is not wanted, true if the wanted type
/// does not exist.
pub(crate) const COLUMNS: &str = "\
SELECT
  a.attname::text AS name,
  pg_catalog.format_type(a.atttypid, a.atttypmod) AS type_name,
  CASE WHEN wanted.name IS NOT NULL THEN
    coalesce(a.atttypid = pg_catalog.to_regtype(wanted.type)::oid, true)
  END AS same
FROM pg_catalog.pg_attribute AS a
LEFT JOIN ROWS FROM (pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::text[])) AS wanted (name, type) ON wanted.name = a.attname
WHERE a.attrelid = pg_catalog.to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum";

/// The indexes of the table but the primary key: names, whether they are valid, comments, and the
/// constraints that they belong to.
pub(crate) const INDEXES: &str = "\
SELECT
  i.relname::text AS name,
  x.indisvalid AS valid,
  pg_catalog.obj_description(i.oid, 'pg_class') AS comment,
  (SELECT k.conname::text
   FROM pg_catalog.pg_constraint AS k
   WHERE k.conindid = i.oid AND k.conrelid = x.indrelid AND k.contype IN ('u', 'x')) AS \"constraint\"
FROM pg_catalog.pg_index AS x
JOIN pg_catalog.pg_class AS i ON i.oid = x.indexrelid
WHERE x.indrelid = pg_catalog.to_regclass($1) AND NOT x.indisprimary
ORDER BY i.relname";

/// The definitions of the indexes of a table, without its name: equal indexes of two tables have
/// equal definitions.
pub(crate) const DEFINITIONS: &str = "\
SELECT
  i.relname::text AS name,
  ROW(
    m.amname, x.indisunique, x.indnkeyatts, x.indclass::text, x.indcollation::text,
    x.indoption::text,
    ARRAY(
      SELECT pg_catalog.pg_get_indexdef(i.oid, n, false)
      FROM pg_catalog.generate_series(1, x.indnatts) AS n
    ),
    pg_catalog.pg_get_expr(x.indpred, x.indrelid)
  )::text AS definition
FROM pg_catalog.pg_index AS x
JOIN pg_catalog.pg_class AS i ON i.oid = x.indexrelid
JOIN pg_catalog.pg_am AS m ON m.oid = i.relam
WHERE x.indrelid = pg_catalog.to_regclass($1)";

/// Whether the table is so large that an index should be created concurrently: by its statistics
/// if it has any, or by its size. False for a partitioned table, whose indexes cannot be created
/// concurrently.
pub(crate) const IS_LARGE: &str = "\
SELECT
  c.relkind IN ('r', 'm')
    AND (c.reltuples >= 10000 OR pg_catalog.pg_relation_size(c.oid) >= 8 * 1024 * 1024)
FROM pg_catalog.pg_class AS c
WHERE c.oid = pg_catalog.to_regclass($1)";

/// Whether the index with the quoted name `$1` is valid, and whether it is being built; no row if
/// it does not exist.
pub(crate) const INDEX: &str = "\
SELECT
  x.indisvalid AS valid,
  EXISTS (
    SELECT
    FROM pg_catalog.pg_stat_progress_create_index AS p
    WHERE p.index_relid = x.indexrelid
  ) AS running
FROM pg_catalog.pg_index AS x
WHERE x.indexrelid = pg_catalog.to_regclass($1)";

/// The partitions of the table: schemas, names, whether they are unlogged, fillfactors and
/// bounds.
pub(crate) const PARTITIONS: &str = "\
SELECT
  n.nspname::text AS schema,
  c.relname::text AS name,
  c.relpersistence = 'u' AS unlogged,
  coalesce(
    (SELECT option_value::int4
     FROM pg_catalog.pg_options_to_table(c.reloptions)
     WHERE option_name = 'fillfactor'),
    100
  ) AS fillfactor,
  pg_catalog.pg_get_expr(c.relpartbound, c.oid) AS bound
FROM pg_catalog.pg_inherits AS h
JOIN pg_catalog.pg_class AS c ON c.oid = h.inhrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE h.inhparent = pg_catalog.to_regclass($1)
ORDER BY c.relname";

/// Whether the server has lz4 compression.
pub(crate) const HAS_LZ4: &str = "\
SELECT 'lz4' = ANY (enumvals)
FROM pg_catalog.pg_settings
WHERE name = 'default_toast_compression'";

/// The texts `$1` in the order of the database's collation.
pub(crate) const IN_ORDER: &str = "\
SELECT ARRAY(SELECT bound FROM pg_catalog.unnest($1::text[]) AS bound ORDER BY bound)";
