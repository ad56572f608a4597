//! SQL text, composed from the constant tables. Pure: nothing here opens a connection.
//!
//! [`Statements`] has all statements of one view, composed once. What is quoted, and how lines are
//! indented, is decided in `text`; every identifier is quoted and has its schema, every value is a
//! parameter.
//!
//! | module | composes |
//! |---|---|
//! | [`document`] | the query that builds documents |
//! | [`mod@write`] | the statement that builds, compares, writes and deletes documents |
//! | [`sync`], `lock`, `delete`, `unique`, `key_pages` | the statements around it: locks, deletes, unique columns, pages of keys |
//! | [`part`] | the statement that replaces a part in documents |
//! | [`read`], `list` | reads by key; lists with filters and pages |
//! | [`verify`] | comparisons of stored documents with the base tables |
//! | [`ddl`] | the view table and its indexes |
//! | [`rebuild`], `log` | the bookkeeping of rebuilds; the sync log |
//! | `dependents`, `cascade` | from changed rows to documents; rows that are deleted with others |
//! | `catalog`, `probe` | what `check` reads from the server, and the remedies that it proposes |
//! | `capture` | triggers that write what each statement has changed, and the table that they write to |
//! | `feed` | triggers that write which documents have changed, and what its readers send |
//! | `privileges` | the GRANT statements of a read model |
//!
//! These use the following:
//!
//! | module | contains |
//! |---|---|
//! | `json_encoding`, `json_value`, `enums`, `aggregate`, `values` | expressions of values |
//! | `differences`, `row_key`, `keys` | comparisons of documents; conditions on keys; lists of keys |
//! | [`session`] | what documents depend on in the session |
//! | `fragment` | the user's fragments |
//! | `tenant` | conditions on the tenant, and its place in indexes |
//! | `indexed` | the expressions of GIN indexes |
//! | `shape`, `hash` | the number of a view's shape |
//! | `text`, `identifier` | quoting and indentation; the length of names |
//!
//! # The statements of a small view
//!
//! ```
//! use fraiseql_runtime::{Embed, TView};
//!
//! #[derive(TView)]
//! pub struct Post {
//!     pub id: i64,
//!     pub title: String,
//!     #[tview(one(fk = "author_id"))]
//!     pub author: Author,
//! }
//!
//! #[derive(Embed)]
//! #[tview(table = "tb_user")]
//! pub struct Author {
//!     pub id: i64,
//!     pub full_name: String,
//! }
//! # fn main() {
//!
//! let statements = Post::statements();
//! println!("{}", statements.sync.write);
//! # let page = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sql/mod.rs"));
//! # let blocks: Vec<String> = page
//! #     .split("\n//! ```sql\n")
//! #     .skip(1)
//! #     .map(|block| {
//! #         let block = block.split_once("\n//! ```").unwrap().0;
//! #         block.lines().map(|line| line.strip_prefix("//! ").unwrap()).collect::<Vec<_>>().join("\n")
//! #     })
//! #     .collect();
//! # let [table, query, write @ .., lock, find] = blocks.as_slice() else { unreachable!() };
//! # let is_shown = |shown: &str, sql: &str| assert!(shown == sql, "src/sql/mod.rs should show:\n{sql}");
//! # is_shown(table, &statements.ddl.create_table);
//! # is_shown(query, &fraiseql_runtime::sql::document::query(Post::VIEW));
//! # is_shown(&write.join("\n"), &statements.sync.write);
//! # is_shown(lock, &statements.sync.lock);
//! # is_shown(find, &statements.read.find);
//! # }
//! ```
//!
//! The view table. `shape` is the number of the struct's shape when the document was written.
//!
//! ```sql
//! CREATE TABLE "public"."tv_post" (
//!   "id" int8 PRIMARY KEY,
//!   data jsonb NOT NULL,
//!   version bigint NOT NULL,
//!   synced_xid xid8 NOT NULL,
//!   updated_at timestamptz NOT NULL,
//!   shape int8
//! ) WITH (fillfactor = 85)
//! ```
//!
//! The document query. Each object is a sub-select whose columns are the JSON keys, and the whole is
//! converted once. `alias.*` is a whole row: the alias alone would mean a column of that name, if a table
//! had one. A null where the struct has no `Option` raises an error: the CASE casts a text
//! that is not a number. `OFFSET 0` makes the planner look up authors by their key.
//!
//! ```sql
//! SELECT
//!   "root"."id" AS "key",
//!   pg_catalog.to_jsonb("_document".*) AS "data"
//! FROM "public"."tb_post" AS "root"
//! LEFT JOIN LATERAL (
//!   SELECT
//!     CASE
//!       WHEN pg_catalog.num_nulls("author"."full_name") > 0
//!       THEN pg_catalog.concat("author"."id", ' has a null')::int4::text::int8
//!       ELSE "author"."id"
//!     END AS "id",
//!     "author"."full_name" AS "fullName"
//!   FROM "public"."tb_user" AS "author"
//!   WHERE "author"."id" = "root"."author_id"
//!   OFFSET 0
//! ) AS "_author" ON true
//! CROSS JOIN LATERAL (
//!   SELECT
//!     CASE
//!       WHEN pg_catalog.num_nulls("root"."title", "_author".*) > 0
//!       THEN pg_catalog.concat("root"."id", ' has a null')::int4::text::int8
//!       ELSE "root"."id"
//!     END AS "id",
//!     "root"."title" AS "title",
//!     "_author".*::pg_catalog.record AS "author"
//! ) AS "_document"
//! WHERE "root"."id" = ANY ($1::int8[])
//! ```
//!
//! ## The write statement
//!
//! A sync on a pool is one statement. One for a single key, `write_one`, is sent before it if there is
//! one key, and is enough if the document has to be written. The statement is shown here one CTE after the other, in its guarded form;
//! [`mod@write`] says why it loses no update.
//!
//! `input` is the parameters. `session` is whether this session may write: a guarded statement
//! needs READ COMMITTED, and no open transaction may have synced documents of this view.
//!
//! ```sql
//! WITH input AS MATERIALIZED (
//!   SELECT
//!     $1::int8[] AS keys,
//!     CASE WHEN pg_catalog.pg_advisory_xact_lock_shared(1718772080, $2::int4)::text IS NOT NULL THEN $2::int4 END AS peers,
//!     $3::bool AS ask
//! ),
//! session AS MATERIALIZED (
//!   SELECT s.ok AND s.writer IS NULL AS ok, s.writer
//!   FROM (
//!     SELECT
//!       pg_catalog.current_setting('transaction_isolation') LIKE 'read %committed' AS ok,
//!       CASE
//!         WHEN NOT ask THEN NULL
//!         WHEN NOT pg_catalog.pg_try_advisory_lock(1718772079, '"public"."tv_post"'::pg_catalog.regclass::oid::int4) THEN 'active'
//!         WHEN NOT pg_catalog.pg_advisory_unlock(1718772079, '"public"."tv_post"'::pg_catalog.regclass::oid::int4) THEN NULL
//!         WHEN EXISTS (
//!           SELECT FROM pg_catalog.pg_snapshot_xip(pg_catalog.pg_current_snapshot()) AS x
//!           WHERE pg_catalog.pg_xact_status(x) = 'committed'
//!         ) THEN 'committed'
//!       END AS writer
//!     FROM input
//!     OFFSET 0
//!   ) AS s
//! ),
//! ```
//!
//! `built` is the document of each key with a root row, beside the stored one: `changed` if it must
//! be written, `held` if another transaction may be about to write it. Its sub-select is the
//! document query from above.
//!
//! ```sql
//! built AS MATERIALIZED (
//!   SELECT
//!     b."key",
//!     b."data",
//!     v."id" IS NULL OR v.shape IS DISTINCT FROM '7499753222029626379'::int8 OR v."data" IS DISTINCT FROM b."data" AS changed,
//!     coalesce(v.xmax <> 0 AND v.xmax <> v.xmin, false) AS held
//!   FROM (
//!     SELECT
//!       "root"."id" AS "key",
//!       pg_catalog.to_jsonb("_document".*) AS "data"
//!     FROM "public"."tb_post" AS "root"
//!     LEFT JOIN LATERAL (
//!       SELECT
//!         CASE
//!           WHEN pg_catalog.num_nulls("author"."full_name") > 0
//!           THEN pg_catalog.concat("author"."id", ' has a null')::int4::text::int8
//!           ELSE "author"."id"
//!         END AS "id",
//!         "author"."full_name" AS "fullName"
//!       FROM "public"."tb_user" AS "author"
//!       WHERE "author"."id" = "root"."author_id"
//!       OFFSET 0
//!     ) AS "_author" ON true
//!     CROSS JOIN LATERAL (
//!       SELECT
//!         CASE
//!           WHEN pg_catalog.num_nulls("root"."title", "_author".*) > 0
//!           THEN pg_catalog.concat("root"."id", ' has a null')::int4::text::int8
//!           ELSE "root"."id"
//!         END AS "id",
//!         "root"."title" AS "title",
//!         "_author".*::pg_catalog.record AS "author"
//!     ) AS "_document"
//!     WHERE "root"."id" = ANY ((SELECT keys FROM input)::int8[])
//!       AND (SELECT ok FROM session)
//!     OFFSET 0
//!   ) AS b
//!   LEFT JOIN "public"."tv_post" AS v ON v."id" = b."key"
//! ),
//! ```
//!
//! `counted` is the totals.
//!
//! ```sql
//! counted AS MATERIALIZED (
//!   SELECT
//!     pg_catalog.count(*) AS found,
//!     pg_catalog.count(*) FILTER (WHERE changed) AS changed,
//!     coalesce(pg_catalog.sum(pg_catalog.pg_column_size(data)), 0)::int8 AS bytes
//!   FROM built
//! ),
//! ```
//!
//! Equal documents are skipped. `others` are the transactions that may still replace them by an
//! older version, so `unsure` are the documents that the caller has to confirm.
//!
//! ```sql
//! equal AS MATERIALIZED (
//!   SELECT pg_catalog.array_agg("key") AS keys
//!   FROM built
//!   WHERE NOT changed
//! ),
//! locks AS MATERIALIZED (
//!   SELECT *
//!   FROM pg_catalog.pg_locks AS l
//!   WHERE l.granted
//!     AND (l.relation = '"public"."tv_post"'::pg_catalog.regclass AND l.mode = 'RowExclusiveLock'
//!       OR l.locktype = 'advisory' AND l.classid = 1718772073 AND l.objid = '"public"."tv_post"'::pg_catalog.regclass
//!       OR l.locktype = 'advisory' AND l.classid = 1718772080 AND l.objid = (SELECT peers FROM input)::oid)
//!     AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
//!     AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
//! ),
//! others AS MATERIALIZED (
//!   SELECT l.virtualtransaction
//!   FROM locks AS l
//!   WHERE l.locktype = 'relation'
//!     AND NOT EXISTS (
//!       SELECT FROM locks AS o
//!       WHERE o.locktype = 'advisory' AND o.virtualtransaction = l.virtualtransaction
//!     )
//! ),
//! unsure AS MATERIALIZED (
//!   SELECT CASE
//!     WHEN keys IS NULL THEN NULL
//!     WHEN EXISTS (SELECT FROM others) THEN keys
//!     ELSE ARRAY(
//!       SELECT v."id"
//!       FROM "public"."tv_post" AS v
//!       WHERE v."id" = ANY (equal.keys) AND v.xmax <> 0 AND v.xmax <> v.xmin
//!     )
//!   END AS keys
//!   FROM equal
//! ),
//! ```
//!
//! `written` inserts and updates, in key order. A document whose writer this snapshot does not see
//! is left as it is: the last SELECT returns its key in `blocked`.
//!
//! ```sql
//! written AS (
//!   INSERT INTO "public"."tv_post" AS v ("id", "data", version, synced_xid, updated_at, shape)
//!   SELECT "key", "data", 1, pg_catalog.pg_current_xact_id(), pg_catalog.now(), '7499753222029626379'::int8
//!   FROM built
//!   WHERE changed AND NOT held
//!   ORDER BY "key"
//!   ON CONFLICT ("id") DO UPDATE SET
//!     "data" = EXCLUDED."data",
//!     version = v.version + 1,
//!     synced_xid = EXCLUDED.synced_xid,
//!     updated_at = EXCLUDED.updated_at,
//!     shape = EXCLUDED.shape
//!   WHERE pg_catalog.pg_visible_in_snapshot(v.synced_xid, (SELECT pg_catalog.pg_current_snapshot()))
//!   RETURNING v."id" AS "key", v.version
//! ),
//! ```
//!
//! `orphans` are the documents without a root row, which `deleted` deletes under the same guard.
//!
//! ```sql
//! orphans AS MATERIALIZED (
//!   SELECT v."id" AS "key", v.xmax <> 0 AND v.xmax <> v.xmin AS held
//!   FROM "public"."tv_post" AS v
//!   WHERE (SELECT found FROM counted) < (SELECT pg_catalog.cardinality(keys) FROM input)
//!     AND v."id" = ANY ((SELECT keys FROM input)::int8[])
//!     AND NOT EXISTS (SELECT FROM built AS b WHERE b."key" = v."id")
//!     AND (SELECT ok FROM session)
//! ),
//! deleted AS (
//!   DELETE FROM "public"."tv_post" AS v
//!   USING orphans
//!   WHERE v."id" = orphans."key"
//!     AND pg_catalog.pg_visible_in_snapshot(v.synced_xid, (SELECT pg_catalog.pg_current_snapshot()))
//!     AND NOT orphans.held
//!   RETURNING orphans."key"
//! )
//! ```
//!
//! One row about all of it; its columns are described in `result_row`.
//!
//! ```sql
//! SELECT
//!   (SELECT ok FROM session) AS session_ok,
//!   (SELECT found FROM counted) AS found,
//!   (SELECT changed FROM counted) AS changed,
//!   ARRAY(SELECT "key" FROM deleted) AS deleted,
//!   ARRAY(SELECT "key" FROM written WHERE version = 1) AS inserted,
//!   CASE WHEN (SELECT changed FROM counted) > (SELECT pg_catalog.count(*) FROM written) THEN
//!       ARRAY(SELECT "key" FROM built WHERE changed EXCEPT SELECT "key" FROM written)
//!     END AS blocked,
//!   ARRAY(SELECT "key" FROM orphans) AS orphans,
//!   (SELECT bytes FROM counted) AS bytes,
//!   (SELECT pg_catalog.count(*) FROM written) AS written,
//!   (SELECT keys FROM unsure) AS unsure,
//!   CASE WHEN (SELECT keys FROM unsure) <> '{}' THEN
//!       ARRAY(SELECT virtualtransaction FROM others)
//!     END AS others,
//!   CASE WHEN (SELECT keys FROM unsure) <> '{}' THEN
//!       (SELECT pg_catalog.pg_current_snapshot())::text
//!     END AS snapshot,
//!   (SELECT writer FROM session) AS writer
//! ```
//!
//! ## Inside of a transaction
//!
//! A sync inside of a transaction locks before it builds: rows first, table by table, then the
//! documents, all in key order. `lock` says why. The statement that writes follows in a new
//! snapshot. It is like the one above, but touches equal documents where that one reports them.
//!
//! ```sql
//! WITH rows_1 AS MATERIALIZED (
//!   SELECT FROM "public"."tb_post" AS locked
//!   WHERE locked."id" IN (
//!     SELECT r0."id"
//!     FROM "public"."tb_post" AS r0
//!     WHERE r0."id" = ANY ((SELECT $1::int8[])::int8[])
//!       AND NOT EXISTS (SELECT FROM "public"."tv_post" AS v WHERE v."id" = r0."id")
//!   )
//!   ORDER BY locked."id"
//!   FOR SHARE OF locked
//! ),
//! rows_2 AS MATERIALIZED (
//!   SELECT FROM "public"."tb_user" AS locked
//!   WHERE locked."id" IN (
//!     SELECT r0."author_id"
//!     FROM "public"."tb_post" AS r0
//!     WHERE r0."id" = ANY ((SELECT $1::int8[])::int8[])
//!   )
//!   ORDER BY locked."id"
//!   FOR SHARE OF locked
//! )
//! SELECT CASE
//!   WHEN pg_catalog.current_setting('transaction_isolation') = 'repeatable read' THEN NULL
//!   WHEN (SELECT pg_catalog.count(*) FROM rows_1) + (SELECT pg_catalog.count(*) FROM rows_2) IS NOT NULL THEN
//!     ARRAY(
//!       SELECT v."id"
//!       FROM "public"."tv_post" AS v
//!       WHERE v."id" = ANY ((SELECT $1::int8[])::int8[])
//!       ORDER BY v."id"
//!       FOR UPDATE OF v
//!     )
//!   END AS documents,
//!   pg_catalog.current_setting('transaction_isolation') AS isolation,
//!   true AS session_ok,
//!   pg_catalog.pg_advisory_xact_lock_shared(1718772073, '"public"."tv_post"'::pg_catalog.regclass::oid::int4),
//!   CASE WHEN $2 THEN pg_catalog.pg_advisory_xact_lock_shared(1718772079, '"public"."tv_post"'::pg_catalog.regclass::oid::int4)::text END
//! ```
//!
//! ## Reads
//!
//! A stale document is read as null, and then built by the document query.
//!
//! ```sql
//! SELECT CASE WHEN v.shape = '7499753222029626379'::int8 THEN v.data END AS data
//! FROM "public"."tv_post" AS v
//! WHERE v."id" = ($1::int8[])[1]
//! ```

pub(crate) mod advise;
mod aggregate;
pub(crate) mod capture;
pub(crate) mod cascade;
pub(crate) mod catalog;
pub mod ddl;
pub(crate) mod delete;
pub(crate) mod dependents;
pub(crate) mod differences;
pub mod document;
mod enums;
pub(crate) mod feed;
pub(crate) mod fragment;
pub mod function;
pub(crate) mod guard;
pub(crate) mod hash;
mod identifier;
pub(crate) mod indexed;
mod json_encoding;
mod json_value;
pub(crate) mod key_pages;
mod keys;
pub(crate) mod list;
pub(crate) mod lock;
pub(crate) mod log;
pub mod matview;
pub mod part;
pub(crate) mod privileges;
pub(crate) mod probe;
pub(crate) mod queue;
pub mod read;
pub mod rebuild;
pub(crate) mod row_key;
pub mod session;
pub(crate) mod shape;
pub(crate) mod statements;
pub mod sync;
pub(crate) mod tenant;
pub(crate) mod text;
mod unique;
mod values;
pub mod verify;
pub mod write;
pub(crate) mod written_tables;

pub use self::statements::Statements;
