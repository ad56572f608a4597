//! `fraiseql_flush_..`: syncs the documents of a mutation, all views in one call.
//!
//! | parameter | |
//! |---|---|
//! | `documents` | documents that the caller has found: an object with an array of keys for each view, by position |
//! | `most` | the maximum number of documents |
//! | `rows` | the embedded rows that are locked, as for the function of a view |
//! | `marked` | rows that the caller has changed: an object with an array of keys for each table |
//!
//! With captured changes it takes those of its transaction, too. It finds the documents that depend on marked rows
//! and changes.
//!
//! It returns a row for each view with documents, in the order in which they were synced:
//!
//! | column | |
//! |---|---|
//! | `view` | the position of the view |
//! | `keys` | the keys of its documents, as texts |
//! | `inserted` .. `bytes` | as the function of the view returns them |
//! | `micros` | how long it took |
//! | `code`, `message` | `left` and the id of the transaction, if the view is eventual; or null |
//!
//! If a document has a value that cannot be written, no document is, but for what was left. Then each view has another row, with the SQLSTATE
//! and the message of the error in `code` and `message`, and the rows before it are void.
//!
//! If there are more documents than the second parameter, nothing is synced. The one row that is returned has a null in
//! `view`, and the changes that were taken in `message`.

use std::collections::BTreeSet;

use crate::error::sqlstate;
use crate::schema::columns::ColumnNames;
use crate::schema::{Columns, Key, SyncTime, Table, View};
use crate::sql::dependents::GivenValues;
use crate::sql::function::ViewFunctions;
use crate::sql::function::change::{self, MAX_PAIRS, change_table};
use crate::sql::function::definition::{FunctionDdl, FunctionText};
use crate::sql::function::documents::OUTPUTS;
use crate::sql::function::model::ModelPaths;
use crate::sql::function::rows::{EmbeddedRows, lock_root_rows};
use crate::sql::function::settings;
use crate::sql::function::sync::{announce, perform, shared_lock};
use crate::sql::session::Session;
use crate::sql::sync::MAX_BATCH;
use crate::sql::text::{Sql, literal};
use crate::sql::write::advisory::{IN_ORDER, OPEN};

/// In `code`: the documents were left to the worker. The message is the id of the transaction.
pub(crate) const LEFT: &str = "left";

/// Columns of the rows that the function returns.
pub(crate) mod result_row {
    pub(crate) const VIEW: usize = 0;
    pub(crate) const KEYS: usize = 1;
    // The counts between them are read by name.
    pub(crate) const MICROS: usize = 7;
    pub(crate) const CODE: usize = 8;
    pub(crate) const MESSAGE: usize = 9;
}

const RESULT: &str = "RETURNS TABLE (view int4, keys text[], inserted int8, updated int8, \
    unchanged int8, deleted int8, bytes int8, micros int8, code text, message text)";

/// The text of the function, without its name.
pub(super) fn text<'a>(
    model: &ModelPaths<'_>,
    functions: &[&ViewFunctions],
    [find, embedded]: [&FunctionDdl; 2],
    schema: &'static str,
    id: i64,
    captures: bool,
) -> FunctionText<'a> {
    let flush = Flush {
        model,
        functions,
        find,
        embedded,
        schema,
        id,
        path: SharedPath::of(&model.views),
    };
    let mut sql = Sql::new();
    sql.line("#variable_conflict use_column");
    sql.line("<<fn$>>");
    sql.block("DECLARE", "BEGIN", |sql| flush.declare(sql, captures));
    sql.indented(|sql| {
        flush.path.complete(sql);
        if captures {
            sql.line("-- The changes of this transaction.");
            change::take(sql, schema, id);
        }
        flush.marks(sql, captures);
        if captures {
            change::merge_rows(sql);
        }
        sql.block("IF fn$.changes IS NOT NULL THEN", "END IF;", |sql| {
            flush.announce(sql);
            flush.find(sql);
        });
        flush.collect(sql);
        flush.lock(sql);
        flush.sync(sql);
    });
    sql.line("END");
    FunctionText {
        stem: "flush",
        schema,
        parameters: &[
            ("documents", "jsonb"),
            ("most", "int8"),
            ("rows", "text"),
            ("marked", "jsonb"),
        ],
        returns: RESULT.to_owned(),
        outputs: &[],
        definer: captures,
        settings: settings::clauses(&Session::of(model.views.iter().map(|view| view.shape))),
        body: sql.finish(),
    }
}

struct Flush<'a> {
    model: &'a ModelPaths<'a>,
    functions: &'a [&'a ViewFunctions],
    find: &'a FunctionDdl,
    embedded: &'a FunctionDdl,
    schema: &'static str,
    id: i64,
    path: SharedPath,
}

/// The path on which the operators and functions of documents are found.
struct SharedPath {
    /// What all views need.
    session: Session,
    /// Whether each view needs a path of its own.
    differs: bool,
}

impl SharedPath {
    fn of(views: &[&'static View]) -> Self {
        let sessions = views.iter().map(|view| Session::of([view.shape]));
        let paths: BTreeSet<Vec<&str>> = sessions
            .filter(Session::needs_path)
            .map(|session| session.first_schemas())
            .collect();
        Self {
            session: Session::of(views.iter().map(|view| view.shape)),
            differs: paths.len() > 1,
        }
    }

    fn complete(&self, sql: &mut Sql) {
        settings::complete_path(&self.session, sql);
    }

    fn set_for(&self, sql: &mut Sql, view: &View) {
        if self.differs {
            settings::set_path(&Session::of([view.shape]), sql);
        }
    }
}

impl Flush<'_> {
    /// The views, with their positions.
    fn views(&self) -> impl Iterator<Item = (usize, &'static View)> {
        self.model.views.iter().copied().enumerate()
    }

    fn declare(&self, sql: &mut Sql, captures: bool) {
        if captures {
            sql.line("rows jsonb; -- change rows, those that stand for marked rows, too");
        }
        sql.line("changes jsonb; -- all changes");
        sql.line("found record;");
        sql.line("more bool := false; -- whether there are more documents than the limit");
        sql.line("documents int8 := 0; -- their number");
        sql.line("start timestamptz;");
        sql.line("counts record; -- of documents and bytes, of one view");
        for (position, view) in self.views() {
            let (ty, entity) = (view.key.sql_type(), view.entity);
            sql.line(format!("keys_{position} {ty}[] := '{{}}'; -- of {entity}"));
            if !is_eventual(view) {
                sql.line(format!(
                    "missing_{position} {ty}[]; -- those without a document"
                ));
            }
        }
    }

    /// Reads the values by which paths leave the marked rows: as changes; or with captured changes into `rows`, unless
    /// they were captured, as they usually are.
    fn marks(&self, sql: &mut Sql, captures: bool) {
        sql.block("IF $4 IS NOT NULL THEN", "END IF;", |sql| {
            for table in self.model.tables() {
                let Some(key) = self.model.key_of(table) else {
                    continue;
                };
                let name = literal(&table.to_string());
                let keys = format!("$4 -> {name}");
                let (before, after) = match captures {
                    true => (
                        format!("fn$.rows := fn$.rows || pg_catalog.jsonb_build_object('table', {name}, 'new',"),
                        ");",
                    ),
                    false => (
                        format!("fn$.changes := coalesce(fn$.changes, '{{}}') || pg_catalog.jsonb_build_object({name},"),
                        ");",
                    ),
                };
                let mut is_new = format!("$4 ? {name}");
                // Changes have only these columns.
                if captures
                    && let Some((name, _)) = key.single()
                    && self.model.columns_of(table).contains(&key.columns)
                {
                    let has_keys = change::has_values(table, name, &keys);
                    is_new.push_str(&format!(" AND NOT {has_keys}"));
                }
                sql.block(format!("IF {is_new} THEN"), "END IF;", |sql| {
                    sql.block(before, after, |sql| self.image(sql, table, key, &keys));
                });
            }
        });
    }

    /// The values of the columns of changes, in rows with these keys. Those of the key are also of rows that do not exist.
    fn image(&self, sql: &mut Sql, table: Table, key: Key, keys: &str) {
        let columns = self.model.columns_of(table);
        let (of_key, others): (Vec<Columns>, Vec<Columns>) = columns
            .into_iter()
            .partition(|columns| *columns == key.columns);
        let mut objects: Vec<String> = of_key
            .into_iter()
            .map(|columns| {
                let name = literal(&columns.name_in_changes());
                format!("pg_catalog.jsonb_build_object({name}, {keys})")
            })
            .collect();
        let array = match key.single() {
            Some((_, ty)) => format!(
                "ARRAY(SELECT t.k::{} FROM pg_catalog.jsonb_array_elements_text({keys}) AS t (k))",
                ty.sql
            ),
            None => format!("ARRAY(SELECT pg_catalog.jsonb_array_elements({keys}))"),
        };
        let names = ColumnNames::from(key.columns);
        let given = GivenValues {
            table: &table.to_string(),
            columns: &names,
            array: &array,
        };
        let is_marked = given.contain("r", &names);
        objects.extend(others.chunks(MAX_PAIRS).map(|sets| {
            let values = sets.iter().map(|columns| {
                format!(
                    "  {}, coalesce(pg_catalog.jsonb_agg(DISTINCT {}), '[]')",
                    literal(&columns.name_in_changes()),
                    change::value_of(*columns, "r")
                )
            });
            let values: Vec<String> = values.collect();
            format!(
                "(SELECT pg_catalog.jsonb_build_object(\n{}\n)\nFROM {table} AS r\n\
                 WHERE {is_marked})",
                values.join(",\n"),
            )
        }));
        sql.line(objects.join(" ||\n"));
    }

    /// Announces the transaction for the views whose documents may depend on its changes, before it looks for
    /// them.
    fn announce(&self, sql: &mut Sql) {
        sql.line("-- Other syncs wait for the rows that they embed from now on.");
        for table in self.model.tables() {
            let mut views: Vec<&View> = self.model.paths_of(table).map(|path| path.view).collect();
            views.sort_by_key(|view| view.table);
            views.dedup_by_key(|view| view.table);
            let changed = format!("IF fn$.changes ? {} THEN", literal(&table.to_string()));
            sql.block(changed, "END IF;", |sql| {
                announce(sql, views.into_iter().map(|view| (OPEN, view)));
            });
        }
    }

    /// Announces the transaction for the views whose documents it syncs.
    fn announce_documents(&self, sql: &mut Sql) {
        let in_time = self.views().filter(|(_, view)| !is_eventual(view));
        let locks = in_time.flat_map(|(position, view)| {
            [OPEN, IN_ORDER].map(|class| {
                let lock = shared_lock(class, view);
                format!("CASE WHEN fn$.keys_{position} <> '{{}}' THEN {lock} END")
            })
        });
        perform(sql, locks);
    }

    /// Adds the documents that depend on the changes.
    fn find(&self, sql: &mut Sql) {
        sql.block(
            format!(
                "FOR fn$.found IN SELECT * FROM {}(fn$.changes, $2) LOOP",
                self.find.qualified()
            ),
            "END LOOP;",
            |sql| {
                sql.line("fn$.more := fn$.more OR fn$.found.more;");
                sql.block("CASE", "END CASE;", |sql| {
                    for (position, view) in self.views() {
                        let paths = self.model.groups.iter().flat_map(|group| &group.paths);
                        let mut paths: Vec<usize> = paths
                            .filter(|path| path.view.table == view.table)
                            .map(|path| path.position)
                            .collect();
                        paths.sort_unstable();
                        let paths: Vec<String> = paths.iter().map(ToString::to_string).collect();
                        sql.line(format!(
                            "WHEN fn$.found.path IN ({}) THEN",
                            paths.join(", ")
                        ));
                        sql.line(format!(
                            "  fn$.keys_{position} := fn$.keys_{position} || fn$.found.keys::{}[];",
                            view.key.sql_type()
                        ));
                    }
                });
            },
        );
    }

    /// Adds the documents of the caller; then each document is there once, and they are in order.
    fn collect(&self, sql: &mut Sql) {
        for (position, view) in self.views() {
            let ty = view.key.sql_type();
            let keys = format!("fn$.keys_{position}");
            sql.block(format!("IF $1 ? '{position}' THEN"), "END IF;", |sql| {
                sql.line(format!(
                    "{keys} := {keys} || ARRAY(SELECT t.k::{ty} FROM \
                     pg_catalog.jsonb_array_elements_text($1 -> '{position}') AS t (k));"
                ));
            });
            sql.block(
                format!("IF pg_catalog.cardinality({keys}) > 1 THEN"),
                "END IF;",
                |sql| {
                    // A key of several columns is sorted where documents are locked.
                    let key = match view.key.single() {
                        Some(_) => view.key.order_of("t.k"),
                        None => "t.k".to_owned(),
                    };
                    sql.line(format!(
                        "{keys} := ARRAY(SELECT {key} FROM pg_catalog.unnest({keys}) AS t (k) GROUP BY 1 ORDER BY 1);"
                    ));
                },
            );
            sql.line(format!(
                "fn$.documents := fn$.documents + pg_catalog.cardinality({keys});"
            ));
        }
        sql.block("IF fn$.more OR fn$.documents > $2 THEN", "END IF;", |sql| {
            sql.line("view := NULL;");
            sql.line("message := fn$.changes::text;");
            sql.line("RETURN NEXT;");
            sql.line("RETURN;");
        });
    }

    /// Locks the rows that documents embed, of all views before the documents of any: a transaction that
    /// holds a row that is waited for here may need a document.
    fn lock(&self, sql: &mut Sql) {
        sql.block("IF fn$.changes IS NOT NULL THEN", "END IF;", |sql| {
            sql.line(format!(
                "PERFORM {}(fn$.changes);",
                self.embedded.qualified()
            ));
        });
        self.announce_documents(sql);
        sql.line("-- First the rows that the documents embed, of all views.");
        for ((position, view), functions) in self.views().zip(self.functions) {
            if is_eventual(view) {
                continue;
            }
            sql.block(
                format!("IF fn$.keys_{position} <> '{{}}' THEN"),
                "END IF;",
                |sql| {
                    self.path.set_for(sql, view);
                    let keys = format!("fn$.keys_{position}");
                    let root = EmbeddedRows::Root.as_str();
                    sql.block(format!("IF $3 = '{root}' THEN"), "ELSE", |sql| {
                        let missing = format!("fn$.missing_{position}");
                        lock_root_rows(sql, view, &keys, &missing);
                    });
                    sql.line(format!(
                        "  PERFORM {}({keys}, $3);",
                        functions.lock.qualified()
                    ));
                    sql.line("END IF;");
                },
            );
        }
    }

    fn sync(&self, sql: &mut Sql) {
        let all = || self.views().zip(self.functions);
        for ((position, view), _) in all().filter(|((_, view), _)| is_eventual(view)) {
            of_view(sql, position, |sql| self.leave(sql, view));
        }
        let in_time = || all().filter(|((_, view), _)| !is_eventual(view));
        if in_time().next().is_none() {
            return;
        }
        sql.line("code := NULL;");
        sql.line("message := NULL;");
        sql.block("BEGIN", "EXCEPTION", |sql| {
            for ((position, view), functions) in in_time() {
                of_view(sql, position, |sql| {
                    sql.line("fn$.start := pg_catalog.clock_timestamp();");
                    self.path.set_for(sql, view);
                    // An assignment takes less time than a query.
                    sql.line(format!(
                        "fn$.counts := {}(fn$.keys_{position});",
                        functions.write.qualified()
                    ));
                    for (name, _) in OUTPUTS {
                        sql.line(format!("{name} := fn$.counts.{name};"));
                    }
                    sql.line(
                        "micros := (EXTRACT(EPOCH FROM pg_catalog.clock_timestamp() - fn$.start) * 1000000)::int8;",
                    );
                });
            }
        });
        sql.indented(|sql| {
            sql.block(format!("WHEN {} THEN", value_errors()), "END;", |sql| {
                sql.line("-- All of them are undone. The caller finds out which documents are invalid, and syncs the others.");
                sql.line("code := SQLSTATE;");
                sql.line("message := SQLERRM;");
                for ((position, _), _) in in_time() {
                    of_view(sql, position, |_| {});
                }
            });
        });
    }
}

/// Returns a row for a view, if it has documents.
fn of_view(sql: &mut Sql, position: usize, inside: impl FnOnce(&mut Sql)) {
    sql.block(
        format!("IF fn$.keys_{position} <> '{{}}' THEN"),
        "END IF;",
        |sql| {
            sql.line(format!("view := {position};"));
            sql.line(format!("keys := fn$.keys_{position}::text[];"));
            inside(sql);
            sql.line("RETURN NEXT;");
        },
    );
}

fn is_eventual(view: &View) -> bool {
    view.sync == SyncTime::Eventual
}

impl Flush<'_> {
    /// Leaves the documents of an eventual view to the worker.
    fn leave(&self, sql: &mut Sql, view: &View) {
        sql.line(format!(
            "INSERT INTO {} (model, \"table\", operation, new)",
            change_table(self.schema)
        ));
        sql.line(format!(
            "SELECT '{}'::int8, {}, 'SYNC',",
            self.id,
            literal(&view.table.to_string())
        ));
        sql.line(format!(
            "  pg_catalog.jsonb_build_object('key', keys[f.first:f.first + {}])",
            MAX_BATCH - 1
        ));
        sql.line(format!(
            "FROM pg_catalog.generate_series(1, pg_catalog.cardinality(keys), {MAX_BATCH}) AS f (first);"
        ));
        sql.line(format!("code := '{LEFT}';"));
        sql.line("message := pg_catalog.pg_current_xact_id()::text;");
    }
}

/// The condition of an EXCEPTION clause for errors about the values of a document.
pub(super) fn value_errors() -> String {
    let codes = sqlstate::VALUE_ERRORS.map(|code| format!("SQLSTATE '{code}'"));
    codes.join(" OR ")
}
