//! The statement that builds, compares, writes and deletes the documents of a batch.
//!
//! It has two forms. The *guarded* one is a transaction of its own, or may be: its picture of
//! the base tables is as old as its snapshot, and other syncs run at the same time. So it only
//! replaces a document whose writer its snapshot sees, and leaves the others to the second form.
//! The *locked* one runs in a transaction that has locked the documents before: its snapshot is
//! newer than the locks, so no other sync can have seen more.
//!
//! # Equal documents
//!
//! An equal document is not written. But that it was looked at must count: else another sync
//! with an older snapshot, still about to write, would replace it by an older picture, with
//! nobody left to notice. So whoever skips a document asks, after its snapshot, whether anybody
//! else is about to write:
//!
//! - A guarded statement holds the view table's lock in mode ROW EXCLUSIVE from before its
//!   snapshot, as every statement does, until its commit. Those who hold it are in `pg_locks`.
//! - Whoever has locked documents first has left its mark in the row (`HELD`). It says so by
//!   an advisory lock (`IN_ORDER`), and is not waited for.
//!
//! Where there is nobody, the skip is final. Where there is somebody, the guarded form answers
//! with the documents it is unsure of; they are locked and looked at again. The locked form
//! *touches* the document: it writes `synced_xid` alone, which the guard of the other will see.
//!
//! # Transactions that are not over
//!
//! A transaction that has synced inside of itself may have changed a row that a document of this
//! batch has come to embed since then: it did not know of that document, and its change is not
//! visible here. So while one of those has not ended (`OPEN`), the guarded statement writes
//! nothing, and the batch is run as inside a transaction: it waits for the rows that it embeds.
//! A full sync does not: it is not in the place of the sync that follows a change.

use crate::schema::{Data, View};
use crate::sql::document::{self, Lookup};
use crate::sql::session::{SessionNeeds, session_needs};
use crate::sql::shape;
use crate::sql::sync::in_order;
use crate::sql::text::{Sql, column, ident, literal};

/// Columns of the answer of a write.
pub mod answer {
    /// Whether the session's settings were right. If not, nothing was written.
    pub const SESSION_OK: usize = 0;
    /// How many root rows there are.
    pub const FOUND: usize = 1;
    /// How many of their documents differ from what is stored.
    pub const CHANGED: usize = 2;
    /// The keys of the documents that were deleted.
    pub const DELETED: usize = 3;
    /// The keys of new documents.
    pub const INSERTED: usize = 4;
    /// The keys that another transaction has written after this snapshot or has locked, to be
    /// built once more; null where there are none.
    pub const BLOCKED: usize = 5;
    /// The keys of documents without a row. Those that were not deleted are blocked, too.
    pub const ORPHANS: usize = 6;
    /// How many bytes all documents of the batch have.
    pub const BYTES: usize = 7;
    /// How many documents were inserted or updated.
    pub const WRITTEN: usize = 8;
    /// Of the guarded form: the keys of equal documents that others may be about to replace by
    /// an older picture; null where there are none.
    pub const UNSURE: usize = 9;
    /// Of the guarded form: the transactions of those others, as `pg_locks` names them.
    pub const OTHERS: usize = 10;
    /// Of the guarded form, where there are others: its snapshot.
    pub const SNAPSHOT: usize = 11;
    /// Of the guarded form: whether a transaction that has synced is not over. Then nothing was
    /// written.
    pub const OPEN: usize = 12;
    /// Of the locked form: the keys that have neither a row nor a document; null where there
    /// are none.
    pub const MISSING: usize = 9;
}

/// The class of the advisory locks of those who lock documents before they build them, "frai";
/// the object is the view table.
pub(crate) const IN_ORDER: i32 = i32::from_be_bytes(*b"frai");

/// Whether another transaction has locked, changed or deleted the document since it was written;
/// or may have, because the mark of one that has rolled back stays, too. A document that was
/// locked to be written has the mark of its own writer.
const HELD: &str = "v.xmax <> 0 AND v.xmax <> v.xmin";

/// The class of the advisory locks of transactions that have synced and may go on, "frao".
pub(crate) const OPEN: i32 = i32::from_be_bytes(*b"frao");

/// The key of such a lock.
pub(crate) fn advisory_key(class: i32, view: &View) -> String {
    format!(
        "{class}, {}::pg_catalog.regclass::oid::int4",
        literal(&view.table.to_string())
    )
}

/// Takes the lock for these views: from now on, until this transaction ends, other syncs wait
/// for the rows that they embed.
pub(crate) fn announce(views: &[&View]) -> String {
    let mut sql = Sql::new();
    sql.line("SELECT");
    sql.block_list(views.iter().map(|view| {
        let lock = advisory_key(OPEN, view);
        format!("pg_catalog.pg_advisory_xact_lock_shared({lock})::text")
    }));
    sql.finish()
}

/// A form of the statement.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `$2` are the backends that do the same full sync, if it is one: they write other documents.
    Guarded,
    /// `$2` are the keys whose documents this transaction has locked.
    Locked,
}

pub(crate) fn compose(view: &View, number: i64, lookup: Lookup, form: Form) -> String {
    let write = Write {
        view,
        shape: shape::literal(number),
        needs: session_needs(view),
        lookup,
        form,
        key: column("v", view.key.column),
        columns: content_columns(view),
    };
    let mut sql = Sql::new();
    write.statement(&mut sql);
    sql.finish()
}

struct Write<'a> {
    view: &'a View,
    /// The number of the documents' shape.
    shape: String,
    needs: SessionNeeds,
    lookup: Lookup,
    form: Form,
    /// The key of a stored document.
    key: String,
    columns: Vec<&'static str>,
}

/// The columns that come from the document query: promoted ones, then `data`.
fn content_columns(view: &View) -> Vec<&'static str> {
    view.shape
        .fields
        .iter()
        .filter_map(|field| field.promoted.map(|promoted| promoted.column))
        .chain(["data"])
        .collect()
}

/// What is stored, as `v`, differs from what was built, as `b`: a condition for each column.
pub(crate) fn differences(view: &View) -> Vec<String> {
    content_columns(view)
        .into_iter()
        .map(|name| {
            let cast = if name == "data" && view.data == Data::Json {
                "::text"
            } else {
                ""
            };
            format!(
                "{}{cast} IS DISTINCT FROM {}{cast}",
                column("v", name),
                column("b", name)
            )
        })
        .collect()
}

/// `key` is one of `$1`, whose length the planner shall not see: it would plan each call anew,
/// for its length, and that costs more than a small batch takes to run. Hidden, one plan serves
/// them all.
pub(crate) fn any_of_keys(key: &str, view: &View) -> String {
    format!(
        "{key} = ANY ((SELECT keys FROM input)::{}[])",
        view.key.ty.sql
    )
}

impl Write<'_> {
    fn statement(&self, sql: &mut Sql) {
        let ty = self.view.key.ty.sql;
        sql.block("WITH input AS MATERIALIZED (", "),", |sql| {
            let second = match self.form {
                Form::Guarded => "$2::int4[] AS friends".to_owned(),
                Form::Locked => format!("$2::{ty}[] AS locked"),
            };
            sql.line(format!("SELECT $1::{ty}[] AS keys, {second}"));
        });
        let session = self.session();
        if !session.is_empty() {
            sql.block("session AS MATERIALIZED (", "),", |sql| match self.form {
                Form::Locked => sql.line(format!("SELECT {} AS ok", session.join(" AND "))),
                Form::Guarded => {
                    sql.line("SELECT s.ok AND NOT s.open AS ok, s.open");
                    sql.block("FROM (", ") AS s", |sql| {
                        sql.line("SELECT");
                        sql.block_list([
                            format!("{} AS ok", session.join(" AND ")),
                            format!("{} AS open", self.open()),
                        ]);
                        sql.line("FROM input");
                        sql.line("OFFSET 0");
                    });
                }
            });
        }
        let session_ok = (!session.is_empty()).then_some("(SELECT ok FROM session)");
        self.built(sql, session_ok);
        sql.block("counted AS MATERIALIZED (", "),", |sql| {
            sql.line("SELECT");
            sql.block_list([
                "pg_catalog.count(*) AS found".to_owned(),
                "pg_catalog.count(*) FILTER (WHERE changed) AS changed".to_owned(),
                "coalesce(pg_catalog.sum(pg_catalog.pg_column_size(data)), 0)::int8 AS bytes"
                    .to_owned(),
            ]);
            sql.line("FROM built");
        });
        self.equal(sql);
        self.written(sql);
        self.deleted(sql, session_ok);
        self.answer(sql, session_ok);
    }

    /// What the session must be like.
    fn session(&self) -> Vec<&'static str> {
        let mut conditions = Vec::new();
        if self.form == Form::Guarded {
            // Any other has a snapshot that is older than the lock.
            conditions
                .push("pg_catalog.current_setting('transaction_isolation') LIKE 'read %committed'");
        }
        conditions.extend(self.needs.conditions());
        conditions
    }

    /// Whether somebody has the lock that says so: it is taken, and given back at once.
    fn open(&self) -> String {
        let lock = advisory_key(OPEN, self.view);
        format!(
            "CASE\n      \
               WHEN pg_catalog.cardinality(friends) > 0 THEN false\n      \
               WHEN pg_catalog.pg_try_advisory_lock({lock}) THEN NOT pg_catalog.pg_advisory_unlock({lock})\n      \
               ELSE true\n    \
             END"
        )
    }

    /// The documents as they should be, each with whether it is stored otherwise.
    fn built(&self, sql: &mut Sql, session_ok: Option<&str>) {
        sql.block("built AS MATERIALIZED (", "),", |sql| {
            sql.line("SELECT");
            let mut select = vec!["b.\"key\"".to_owned()];
            select.extend(self.columns.iter().map(|name| column("b", name)));
            let mut differs = vec![
                format!("{} IS NULL", self.key),
                // Written anew though it may be equal, so that its shape is known.
                format!("v.shape IS DISTINCT FROM {}", self.shape),
            ];
            differs.extend(differences(self.view));
            select.push(format!("{} AS changed", differs.join(" OR ")));
            if self.form == Form::Guarded {
                select.push(format!("coalesce({HELD}, false) AS held"));
            }
            sql.block_list(select);
            sql.block("FROM (", ") AS b", |sql| {
                document::write(sql, self.view, self.lookup, |root| {
                    let mut conditions =
                        vec![any_of_keys(&column(root, self.view.key.column), self.view)];
                    conditions.extend(session_ok.map(str::to_owned));
                    conditions
                });
                // A fence: each document is built once, though it is used twice.
                sql.line("OFFSET 0");
            });
            sql.line(format!(
                "LEFT JOIN {} AS v ON {} = b.\"key\"",
                self.view.table, self.key
            ));
        });
    }

    /// What is skipped, and what is to be done so that it counts.
    fn equal(&self, sql: &mut Sql) {
        sql.block("equal AS MATERIALIZED (", "),", |sql| {
            sql.line("SELECT pg_catalog.array_agg(\"key\") AS keys");
            sql.line("FROM built");
            sql.line("WHERE NOT changed");
        });
        others(
            sql,
            self.view,
            match self.form {
                Form::Guarded => {
                    Some("NOT coalesce(l.pid = ANY ((SELECT friends FROM input)::int4[]), false)")
                }
                Form::Locked => None,
            },
        );
        match self.form {
            // Rows are looked at only after the locks were: whoever wrote before is seen there,
            // whoever writes later here.
            Form::Guarded => sql.block("unsure AS MATERIALIZED (", "),", |sql| {
                sql.line("SELECT CASE");
                sql.indented(|sql| {
                    sql.line("WHEN keys IS NULL THEN NULL");
                    sql.line("WHEN EXISTS (SELECT FROM others) THEN keys");
                    sql.block("ELSE ARRAY(", ")", |sql| {
                        sql.line(format!("SELECT {}", self.key));
                        sql.line(format!("FROM {} AS v", self.view.table));
                        sql.line(format!("WHERE {} = ANY (equal.keys) AND {HELD}", self.key));
                    });
                });
                sql.line("END AS keys");
                sql.line("FROM equal");
            }),
            Form::Locked => touched(sql, self.view, "),"),
        }
    }

    fn written(&self, sql: &mut Sql) {
        let key = ident(self.view.key.column);
        sql.block("written AS (", "),", |sql| {
            let content: Vec<String> = self.columns.iter().map(|name| ident(name)).collect();
            let content = content.join(", ");
            sql.line(format!(
                "INSERT INTO {} AS v ({key}, {content}, version, synced_xid, updated_at, shape)",
                self.view.table
            ));
            sql.line(format!(
                "SELECT \"key\", {content}, 1, pg_catalog.pg_current_xact_id(), pg_catalog.now(), {}",
                self.shape
            ));
            sql.line("FROM built");
            sql.line(match self.form {
                Form::Guarded => "WHERE changed AND NOT held",
                Form::Locked => "WHERE changed",
            });
            sql.line(format!("ORDER BY {}", in_order("\"key\"", &self.view.key)));
            sql.line(format!("ON CONFLICT ({key}) DO UPDATE SET"));
            let mut sets: Vec<String> = self
                .columns
                .iter()
                .map(|name| format!("{0} = EXCLUDED.{0}", ident(name)))
                .collect();
            sets.push("version = v.version + 1".to_owned());
            sets.push("synced_xid = EXCLUDED.synced_xid".to_owned());
            sets.push("updated_at = EXCLUDED.updated_at".to_owned());
            sets.push("shape = EXCLUDED.shape".to_owned());
            sql.block_list(sets);
            sql.line(format!("WHERE {}", self.guard()));
            sql.line(format!("RETURNING {} AS \"key\", v.version", self.key));
        });
    }

    fn deleted(&self, sql: &mut Sql, session_ok: Option<&str>) {
        let key = &self.key;
        sql.block("orphans AS MATERIALIZED (", "),", |sql| {
            let held = match self.form {
                Form::Guarded => format!(", {HELD} AS held"),
                Form::Locked => String::new(),
            };
            sql.line(format!("SELECT {key} AS \"key\"{held}"));
            sql.line(format!("FROM {} AS v", self.view.table));
            let mut conditions = vec![
                // Where every key has a row, there is nothing to look for.
                "(SELECT found FROM counted) < (SELECT pg_catalog.cardinality(keys) FROM input)"
                    .to_owned(),
                any_of_keys(key, self.view),
                format!("NOT EXISTS (SELECT FROM built AS b WHERE b.\"key\" = {key})"),
            ];
            conditions.extend(session_ok.map(str::to_owned));
            sql.conditions("WHERE", &conditions);
        });
        sql.block("deleted AS (", ")", |sql| {
            sql.line(format!("DELETE FROM {} AS v", self.view.table));
            sql.line("USING orphans");
            let mut conditions = vec![format!("{key} = orphans.\"key\""), self.guard()];
            if self.form == Form::Guarded {
                conditions.push("NOT orphans.held".to_owned());
            }
            sql.conditions("WHERE", &conditions);
            sql.line("RETURNING orphans.\"key\"");
        });
    }

    fn answer(&self, sql: &mut Sql, session_ok: Option<&str>) {
        let mut blocked = "SELECT \"key\" FROM built WHERE changed".to_owned();
        let mut some_blocked =
            "(SELECT changed FROM counted) > (SELECT pg_catalog.count(*) FROM written)".to_owned();
        if self.form == Form::Locked {
            // One that came after the locks.
            let unlocked = format!(
                "SELECT \"key\" FROM built WHERE NOT changed AND NOT {}",
                is_locked("\"key\"")
            );
            some_blocked.push_str(&format!("\n    OR EXISTS ({unlocked})"));
            blocked = format!("({blocked} UNION ALL {unlocked})");
        }
        sql.line("SELECT");
        let mut select = vec![
            format!("{} AS session_ok", session_ok.unwrap_or("true")),
            "(SELECT found FROM counted) AS found".to_owned(),
            "(SELECT changed FROM counted) AS changed".to_owned(),
            "ARRAY(SELECT \"key\" FROM deleted) AS deleted".to_owned(),
            "ARRAY(SELECT \"key\" FROM written WHERE version = 1) AS inserted".to_owned(),
            format!(
                "CASE WHEN {some_blocked} THEN\n    \
                   ARRAY({blocked} EXCEPT SELECT \"key\" FROM written)\n  \
                 END AS blocked"
            ),
            "ARRAY(SELECT \"key\" FROM orphans) AS orphans".to_owned(),
            "(SELECT bytes FROM counted) AS bytes".to_owned(),
            "(SELECT pg_catalog.count(*) FROM written) AS written".to_owned(),
        ];
        match self.form {
            Form::Guarded => select.extend([
                "(SELECT keys FROM unsure) AS unsure".to_owned(),
                "CASE WHEN (SELECT keys FROM unsure) <> '{}' THEN\n    \
                   ARRAY(SELECT virtualtransaction FROM others)\n  \
                 END AS others"
                    .to_owned(),
                "CASE WHEN (SELECT keys FROM unsure) <> '{}' THEN\n    \
                   (SELECT pg_catalog.pg_current_snapshot())::text\n  \
                 END AS snapshot"
                    .to_owned(),
                "(SELECT open FROM session) AS open".to_owned(),
            ]),
            Form::Locked => select.push(
                "CASE WHEN (SELECT found FROM counted) < (SELECT pg_catalog.cardinality(keys) FROM input) THEN\n    \
                   ARRAY(\n      \
                     SELECT pg_catalog.unnest(keys) FROM input\n      \
                     EXCEPT SELECT \"key\" FROM built\n      \
                     EXCEPT SELECT \"key\" FROM orphans\n    \
                   )\n  \
                 END AS missing"
                    .to_owned(),
            ),
        }
        sql.block_list(select);
    }

    /// True for a stored document that is no newer than this statement's snapshot: one whose
    /// writer the snapshot sees, or that this transaction has written or locked before.
    fn guard(&self) -> String {
        let seen = "pg_catalog.pg_visible_in_snapshot(v.synced_xid, (SELECT pg_catalog.pg_current_snapshot()))";
        match self.form {
            Form::Guarded => seen.to_owned(),
            Form::Locked => format!(
                "({seen}\n    \
                   OR v.synced_xid = (SELECT pg_catalog.pg_current_xact_id())\n    \
                   OR {})",
                is_locked(&self.key)
            ),
        }
    }
}

/// `key` is one of the keys that were locked. A sub-select is hashed, an array is not.
pub(crate) fn is_locked(key: &str) -> String {
    format!("{key} IN (SELECT pg_catalog.unnest(locked) FROM input)")
}

/// Makes it count that the `keys` of `equal` were skipped, where that matters.
pub(crate) fn touched(sql: &mut Sql, view: &View, end: &str) {
    let key = column("v", view.key.column);
    sql.block("touched AS (", end, |sql| {
        sql.line(format!(
            "UPDATE {} AS v SET synced_xid = pg_catalog.pg_current_xact_id()",
            view.table
        ));
        sql.block(
            format!("WHERE {key} = ANY (("),
            format!(")::{}[])", view.key.ty.sql),
            |sql| {
                sql.line(
                    "SELECT CASE WHEN keys IS NULL THEN NULL \
                     WHEN EXISTS (SELECT FROM others) THEN keys END",
                );
                sql.line("FROM equal");
            },
        );
        sql.line(format!("  AND {}", is_locked(&key)));
    });
}

/// The transactions of others that write the view table, and have not locked first.
pub(crate) fn others(sql: &mut Sql, view: &View, also: Option<&str>) {
    let table = format!("{}::pg_catalog.regclass", literal(&view.table.to_string()));
    sql.block("locks AS MATERIALIZED (", "),", |sql| {
        sql.line("SELECT *");
        sql.line("FROM pg_catalog.pg_locks AS l");
        sql.line("WHERE l.granted");
        sql.indented(|sql| {
            sql.line(format!(
                "AND (l.relation = {table} AND l.mode = 'RowExclusiveLock'"
            ));
            sql.line(format!(
                "  OR l.locktype = 'advisory' AND l.classid = {IN_ORDER} AND l.objid = {table})"
            ));
            sql.line("AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()");
            sql.line(
                "AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d \
                 WHERE d.datname = pg_catalog.current_database())",
            );
        });
    });
    sql.block("others AS MATERIALIZED (", "),", |sql| {
        sql.line("SELECT l.virtualtransaction");
        sql.line("FROM locks AS l");
        sql.line("WHERE l.locktype = 'relation'");
        sql.indented(|sql| {
            sql.block("AND NOT EXISTS (", ")", |sql| {
                sql.line("SELECT FROM locks AS o");
                sql.line(
                    "WHERE o.locktype = 'advisory' AND o.virtualtransaction = l.virtualtransaction",
                );
            });
            if let Some(also) = also {
                sql.line(format!("AND {also}"));
            }
        });
    });
}

/// Waits for `$2` seconds, then says whether one of the transactions `$1` is still about to
/// write.
pub(crate) fn still_writing(view: &View) -> String {
    let mut sql = Sql::new();
    sql.block("SELECT EXISTS (", ") AS writing", |sql| {
        sql.line("SELECT FROM pg_catalog.pg_locks AS l");
        sql.line(format!(
            "WHERE l.relation = {}::pg_catalog.regclass AND l.mode = 'RowExclusiveLock'",
            literal(&view.table.to_string())
        ));
        sql.line("  AND l.virtualtransaction = ANY ($1::text[])");
        sql.line("  AND waited.\"end\" IS NOT NULL");
    });
    sql.line("FROM (SELECT pg_catalog.pg_sleep($2::float8)::text AS \"end\" OFFSET 0) AS waited");
    sql.finish()
}

/// Which of the documents `$1` were written or locked after the snapshot `$2`, or are gone.
pub(crate) fn overwritten(view: &View) -> String {
    let key = column("v", view.key.column);
    let mut sql = Sql::new();
    sql.block("SELECT ARRAY(", ") AS overwritten", |sql| {
        sql.line("SELECT k.\"key\"");
        sql.line(format!(
            "FROM pg_catalog.unnest($1::{}[]) AS k (\"key\")",
            view.key.ty.sql
        ));
        sql.line(format!(
            "LEFT JOIN {} AS v ON {key} = k.\"key\"",
            view.table
        ));
        sql.line(format!("WHERE {key} IS NULL"));
        sql.line(format!("  OR {HELD}"));
        sql.line(
            "  OR NOT pg_catalog.pg_visible_in_snapshot(v.synced_xid, $2::pg_catalog.pg_snapshot)",
        );
    });
    sql.finish()
}
