//! Catalog queries about functions and triggers.

/// The functions `$1`, as `to_regprocedure` reads them: one row for each, in their order. Nulls if it does not exist.
pub(crate) const FUNCTIONS: &str = "\
SELECT
  p.prosrc AS body,
  p.prosecdef AS definer,
  ARRAY(
    SELECT pg_catalog.lower(pg_catalog.split_part(c.setting, '=', 1))
    FROM pg_catalog.unnest(p.proconfig) AS c (setting)
    ORDER BY 1
  ) AS settings
FROM pg_catalog.unnest($1::text[]) WITH ORDINALITY AS w (signature, place)
LEFT JOIN pg_catalog.pg_proc AS p ON p.oid = pg_catalog.to_regprocedure(w.signature)
ORDER BY w.place";

/// The tables `$1`, which are quoted, each with the tables whose rows are also its own: its partitions, and those that inherit from
/// it, at any depth. A row for each, with the position of the table in `$1`, from 1.
pub(crate) const RELATIONS: &str = "\
WITH RECURSIVE family AS (
  SELECT w.place, pg_catalog.to_regclass(w.name)::oid AS oid, false AS is_child
  FROM pg_catalog.unnest($1::text[]) WITH ORDINALITY AS w (name, place)
  UNION
  SELECT f.place, i.inhrelid, true
  FROM family AS f
  JOIN pg_catalog.pg_inherits AS i ON i.inhparent = f.oid
)
SELECT
  f.place::int4 AS place,
  c.oid::int8 AS oid,
  n.nspname::text AS schema,
  c.relname::text AS name,
  c.relkind::text AS kind,
  pg_catalog.has_table_privilege(c.oid, 'TRIGGER') AS can_create
FROM family AS f
JOIN pg_catalog.pg_class AS c ON c.oid = f.oid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
ORDER BY f.place, f.is_child, n.nspname, c.relname";

/// The triggers of the relations `$1` whose names end with `$2`.
pub(crate) const TRIGGERS: &str = "\
SELECT
  t.tgrelid::int8 AS relation,
  t.tgname::text AS name,
  t.tgtype AS type,
  t.tgenabled::text AS enabled,
  t.tgoldtable::text AS old_table,
  t.tgnewtable::text AS new_table,
  n.nspname::text AS function_schema,
  p.proname::text AS function
FROM pg_catalog.pg_trigger AS t
JOIN pg_catalog.pg_proc AS p ON p.oid = t.tgfoid
JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
WHERE t.tgrelid = ANY ($1::int8[]::oid[])
  AND NOT t.tgisinternal
  AND pg_catalog.right(t.tgname, pg_catalog.length($2)) = $2";

/// The functions in the schemas `$1` whose names are those of functions of read models, and whether their text names one of the
/// view tables `$2`, which are quoted.
pub(crate) const MODEL_FUNCTIONS: &str = "\
SELECT
  p.oid::int8 AS oid,
  n.nspname::text AS schema,
  p.proname::text AS name,
  pg_catalog.pg_get_function_identity_arguments(p.oid) AS arguments,
  EXISTS (
    SELECT FROM pg_catalog.unnest($2::text[]) AS v (name)
    WHERE pg_catalog.strpos(p.prosrc, v.name) > 0
  ) AS names_view
FROM pg_catalog.pg_proc AS p
JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
WHERE n.nspname = ANY ($1::text[])
  AND p.proname ~ '^fraiseql_.*_[0-9a-f]{16}$'
ORDER BY n.nspname, p.proname";

/// The triggers that call the functions `$1`.
pub(crate) const TRIGGERS_OF_FUNCTIONS: &str = "\
SELECT
  n.nspname::text AS schema,
  c.relname::text AS relation,
  t.tgname::text AS name
FROM pg_catalog.pg_trigger AS t
JOIN pg_catalog.pg_class AS c ON c.oid = t.tgrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE t.tgfoid = ANY ($1::int8[]::oid[]) AND NOT t.tgisinternal AND t.tgparentid = 0
ORDER BY n.nspname, c.relname, t.tgname";

/// Whether the change table with the quoted name `$1` exists, and whether this session can read it.
pub(crate) const CHANGE_TABLE: &str = "\
SELECT
  c.oid IS NOT NULL AS exists,
  coalesce(pg_catalog.has_table_privilege(c.oid, 'SELECT'), false) AS readable
FROM (SELECT pg_catalog.to_regclass($1)::oid AS oid) AS c";

/// The models whose changes are in a change table. It reads one row for each.
pub(crate) fn models(change_table: &str) -> String {
    let least = |after: &str| {
        format!("SELECT c.model FROM {change_table} AS c{after} ORDER BY c.model LIMIT 1")
    };
    format!(
        "WITH RECURSIVE found AS (\n  ({})\n  UNION ALL\n  SELECT ({})\n  FROM found AS f\n  \
         WHERE f.model IS NOT NULL\n)\nSELECT f.model FROM found AS f WHERE f.model IS NOT NULL",
        least(""),
        least(" WHERE c.model > f.model")
    )
}

/// The role, and whether it may create functions in the schema `$1`.
pub(crate) const MAY_CREATE: &str = "\
SELECT
  current_user::text AS role,
  coalesce(pg_catalog.has_schema_privilege(n.oid, 'CREATE'), false) AS may_create
FROM (SELECT) AS one
LEFT JOIN pg_catalog.pg_namespace AS n ON n.nspname = $1";
