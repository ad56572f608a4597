//! `fraiseql_at_commit_..`: syncs the documents of a transaction when it commits, whoever has written it.
//!
//! It is the function of a deferred constraint trigger of the change table. It must not fail a transaction of somebody
//! else: if a document cannot be built, or a lock cannot be had in time, the changes are left to a worker.
//!
//! A wait for a lock ends before PostgreSQL would look for a deadlock, by default after a second. So no other
//! transaction is chosen to end a deadlock with this one.

use crate::schema::View;
use crate::sql::function::EmbeddedRows;
use crate::sql::function::change::{change_table, is_own};
use crate::sql::function::definition::{FunctionDdl, FunctionText};
use crate::sql::function::settings::PINNED_PATH;
use crate::sql::text::{Sql, ident, literal};

/// The setting, local to a transaction, by which a mutation says that it syncs the documents of its changes itself.
pub(crate) const SYNCS_ITSELF: &str =
    "SELECT pg_catalog.set_config('fraiseql.flush', 'caller', true)";
/// The condition that it has said so.
const DOES_NOT: &str =
    "pg_catalog.current_setting('fraiseql.flush', true) IS DISTINCT FROM 'caller'";
/// The longest wait for a lock, in milliseconds.
const LOCK_TIMEOUT: u32 = 400;
/// The most documents that are synced in a commit.
const MAX_DOCUMENTS: u32 = 5_000;

/// The text of the function, without its name.
pub(super) fn text<'a>(
    views: &[&'static View],
    flush: &FunctionDdl,
    schema: &'static str,
    id: i64,
) -> FunctionText<'a> {
    let changes = change_table(schema);
    let mut sql = Sql::new();
    sql.line("#variable_conflict use_column");
    sql.line("<<fn$>>");
    sql.line("DECLARE");
    sql.line("  synced record;");
    sql.block("BEGIN", "END", |sql| {
        sql.line("-- The first change of a transaction is the one for which all documents are synced. A snapshot that");
        sql.line("-- is older than a lock would lose changes of others.");
        sql.line("IF pg_catalog.current_setting('fraiseql.left', true) = pg_catalog.pg_current_xact_id()::text");
        sql.line("  OR pg_catalog.current_setting('transaction_isolation') NOT LIKE 'read %committed'");
        sql.block("  OR NOT EXISTS (", "  )", |sql| {
            sql.line(format!("  SELECT FROM {changes} AS c"));
            sql.line(format!("  WHERE {}", is_own("c", id)));
        });
        sql.block("THEN", "END IF;", |sql| sql.line("RETURN NULL;"));
        sql.line("BEGIN");
        sql.indented(|sql| {
            sql.block(
                format!(
                    "FOR fn$.synced IN SELECT * FROM {}(NULL, {MAX_DOCUMENTS}, '{}', NULL) LOOP",
                    flush.qualified(),
                    EmbeddedRows::Root.as_str()
                ),
                "END LOOP;",
                |sql| {
                    sql.block("IF fn$.synced.view IS NULL THEN", "END IF;", |sql| {
                        sql.line("RAISE 'too many documents';");
                    });
                    sql.line("-- One of these documents is invalid: a worker finds out which.");
                    sql.block("IF fn$.synced.code <> 'left' THEN", "END IF;", |sql| {
                        sql.line(format!(
                            "INSERT INTO {changes} (model, \"table\", operation, new)"
                        ));
                        let tables: Vec<String> = views
                            .iter()
                            .map(|view| literal(&view.table.to_string()))
                            .collect();
                        sql.line(format!(
                            "VALUES ('{id}', (ARRAY[{}])[fn$.synced.view + 1], 'SYNC',",
                            tables.join(", ")
                        ));
                        sql.line("  pg_catalog.jsonb_build_object('key', fn$.synced.keys));");
                    });
                },
            );
        });
        sql.line("EXCEPTION WHEN OTHERS OR query_canceled THEN");
        sql.indented(|sql| {
            sql.line("-- Nor does it end with the time of the statement: that would undo what the statement has done.");
            sql.line("-- Everything in this block is undone: the changes are in the table again, for a worker.");
            sql.line("PERFORM pg_catalog.set_config('fraiseql.left', pg_catalog.pg_current_xact_id()::text, true);");
        });
        sql.line("END;");
        sql.line("RETURN NULL;");
    });
    FunctionText {
        stem: "at_commit",
        schema,
        parameters: &[],
        returns: "RETURNS trigger".to_owned(),
        outputs: &[],
        definer: true,
        settings: vec![
            PINNED_PATH.to_owned(),
            format!("lock_timeout = '{LOCK_TIMEOUT}ms'"),
        ],
        body: sql.finish(),
    }
}

/// The deferred trigger of the change table: its name, and the statement that creates it.
pub(super) fn trigger(
    function: &FunctionDdl,
    suffix: &str,
    schema: &str,
    id: i64,
) -> (String, String) {
    let name = format!("fraiseql_at_commit_{suffix}");
    let mut sql = Sql::new();
    sql.line(format!("CREATE CONSTRAINT TRIGGER {}", ident(&name)));
    sql.line(format!("AFTER INSERT ON {}", change_table(schema)));
    sql.line("DEFERRABLE INITIALLY DEFERRED");
    sql.line("FOR EACH ROW");
    sql.line(format!(
        "WHEN (NEW.model = '{id}'::int8 AND NEW.operation <> 'SYNC' AND {DOES_NOT})"
    ));
    sql.line(format!("EXECUTE FUNCTION {}()", function.qualified()));
    (name, sql.finish())
}
