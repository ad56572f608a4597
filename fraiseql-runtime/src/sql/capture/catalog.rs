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

/// The tables `$1`, which are quoted, each with the relations whose statements write its rows: the tables whose rows are also its own,
/// which are its partitions and those that inherit from it, at any depth; and if it is a partition itself, the tables
/// that it is a partition of. A row for each, with the position of the table in `$1`, from 1.
pub(crate) const RELATIONS: &str = "\
WITH RECURSIVE wanted AS (
  SELECT w.place, pg_catalog.to_regclass(w.name)::oid AS oid
  FROM pg_catalog.unnest($1::text[]) WITH ORDINALITY AS w (name, place)
),
below AS (
  SELECT w.place, w.oid, 0 AS rank FROM wanted AS w
  UNION
  SELECT b.place, i.inhrelid, 1
  FROM below AS b
  JOIN pg_catalog.pg_inherits AS i ON i.inhparent = b.oid
),
above AS (
  SELECT w.place, w.oid, 0 AS rank FROM wanted AS w
  UNION
  SELECT a.place, i.inhparent, 2
  FROM above AS a
  JOIN pg_catalog.pg_class AS c ON c.oid = a.oid AND c.relispartition
  JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = a.oid
)
SELECT
  f.place::int4 AS place,
  c.oid::int8 AS oid,
  n.nspname::text AS schema,
  c.relname::text AS name,
  c.relkind::text AS kind,
  pg_catalog.has_table_privilege(c.oid, 'TRIGGER') AS can_create
FROM (SELECT * FROM below UNION SELECT * FROM above) AS f
JOIN pg_catalog.pg_class AS c ON c.oid = f.oid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
ORDER BY f.place, f.rank, n.nspname, c.relname";

/// The tables from which the tables `$1`, which are quoted, inherit, and of which they are no partitions.
pub(crate) const PARENTS: &str = "\
WITH RECURSIVE above AS (
  SELECT w.place, i.inhparent AS oid
  FROM pg_catalog.unnest($1::text[]) WITH ORDINALITY AS w (name, place)
  JOIN pg_catalog.pg_class AS c ON c.oid = pg_catalog.to_regclass(w.name) AND NOT c.relispartition
  JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = c.oid
  UNION
  SELECT a.place, i.inhparent
  FROM above AS a
  JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = a.oid
)
SELECT a.place::int4 AS place, n.nspname::text AS schema, c.relname::text AS name
FROM above AS a
JOIN pg_catalog.pg_class AS c ON c.oid = a.oid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
ORDER BY a.place, n.nspname, c.relname";

/// The virtual generated columns of the tables `$1`, which are quoted. They are computed when they are read, and are nulls in
/// transition tables.
pub(crate) const VIRTUAL_COLUMNS: &str = "\
SELECT w.place::int4 AS place, a.attname::text AS name
FROM pg_catalog.unnest($1::text[]) WITH ORDINALITY AS w (name, place)
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = pg_catalog.to_regclass(w.name)
WHERE a.attgenerated = 'v' AND NOT a.attisdropped
ORDER BY w.place, a.attnum";

/// The subscriptions that write the relations `$1`.
pub(crate) const SUBSCRIPTIONS: &str = "\
SELECT s.subname::text AS name, n.nspname::text AS schema, c.relname::text AS relation
FROM pg_catalog.pg_subscription_rel AS r
JOIN pg_catalog.pg_subscription AS s ON s.oid = r.srsubid
JOIN pg_catalog.pg_class AS c ON c.oid = r.srrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE r.srrelid = ANY ($1::int8[]::oid[])
ORDER BY s.subname, n.nspname, c.relname";

/// Where sessions of this database begin with a `session_replication_role` in which triggers do not run: the statement
/// that resets it, and whether it holds for this role.
pub(crate) const REPLICA_SETTINGS: &str = "\
SELECT
  CASE
    WHEN r.setrole = 0 AND r.setdatabase = 0 THEN 'ALTER ROLE ALL'
    WHEN r.setrole = 0 THEN 'ALTER DATABASE ' || pg_catalog.quote_ident(d.datname)
    ELSE 'ALTER ROLE ' || pg_catalog.quote_ident(a.rolname)
      || CASE WHEN r.setdatabase = 0 THEN '' ELSE ' IN DATABASE ' || pg_catalog.quote_ident(d.datname) END
  END || ' RESET session_replication_role' AS remedy,
  r.setrole = 0 OR a.rolname = current_user AS is_own
FROM pg_catalog.pg_db_role_setting AS r
LEFT JOIN pg_catalog.pg_roles AS a ON a.oid = r.setrole
LEFT JOIN pg_catalog.pg_database AS d ON d.oid = r.setdatabase
WHERE (r.setdatabase = 0 OR d.datname = pg_catalog.current_database())
  AND EXISTS (
    SELECT FROM pg_catalog.unnest(r.setconfig) AS c (setting)
    WHERE pg_catalog.lower(c.setting) = 'session_replication_role=replica'
  )
ORDER BY 1";

/// Whether triggers run in this session.
pub(crate) const SESSION_ROLE: &str =
    "SELECT pg_catalog.current_setting('session_replication_role') <> 'replica'";

/// Those of the functions `$1`, as `to_regprocedure` reads them, that exist and that the role may not execute.
pub(crate) const NOT_EXECUTABLE: &str = "\
SELECT w.signature
FROM pg_catalog.unnest($1::text[]) WITH ORDINALITY AS w (signature, place)
WHERE NOT pg_catalog.has_function_privilege(pg_catalog.to_regprocedure(w.signature), 'EXECUTE')
ORDER BY w.place";

/// The table `$1`, which is quoted, if it exists, and whether the role may create triggers of it.
pub(crate) const TABLE: &str = "\
SELECT
  c.oid::int8 AS oid,
  pg_catalog.has_table_privilege(c.oid, 'TRIGGER') AS can_create
FROM pg_catalog.pg_class AS c
WHERE c.oid = pg_catalog.to_regclass($1)";

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

/// Whether the trigger `$2` of the relation `$1` runs in ordinary sessions; no row if there is none that calls the function
/// `$3`.
pub(crate) const TRIGGER: &str = "\
SELECT t.tgenabled IN ('O', 'A') AS enabled
FROM pg_catalog.pg_trigger AS t
WHERE t.tgrelid = pg_catalog.to_regclass($1)
  AND t.tgname = $2::text
  AND t.tgfoid = pg_catalog.to_regprocedure($3)";

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

/// Of the relations `$1`, those of which an owner of the functions `$2` that run with his privileges does
/// not see every row. The current role is not among the owners: it has findings of its own.
pub(crate) const HIDDEN_FROM_OWNERS: &str = "\
SELECT c.oid::pg_catalog.regclass::text AS table_name, r.rolname::text AS owner
FROM pg_catalog.pg_class AS c
CROSS JOIN pg_catalog.pg_roles AS r
WHERE c.oid = ANY ($1::int8[]::oid[])
  AND c.relrowsecurity
  AND NOT r.rolsuper
  AND NOT r.rolbypassrls
  AND (c.relforcerowsecurity OR NOT pg_catalog.pg_has_role(r.oid, c.relowner, 'USAGE'))
  AND r.rolname <> current_user
  AND EXISTS (
    SELECT
    FROM pg_catalog.unnest($2::text[]) AS f (signature)
    JOIN pg_catalog.pg_proc AS p ON p.oid = pg_catalog.to_regprocedure(f.signature)
    WHERE p.prosecdef AND p.proowner = r.oid
  )
ORDER BY 1, 2";
