//! Reads of live views test the session: in an unsuitable one, documents would be other JSON.

use crate::sql::session::Session;
use crate::sql::text::Sql;

/// A statement that reads live documents, with the test of what they need of the session; `None` if they need
/// nothing. Its columns are `columns` of the statement, of which the first one is never null.
///
/// In an unsuitable session it does not run the statement, and returns one row of nulls. The
/// documents are then read in a transaction with other settings.
pub(crate) fn guarded(session: &Session, statement: &str, columns: &str) -> Option<String> {
    let conditions = session.conditions();
    if conditions.is_empty() {
        return None;
    }
    let mut sql = Sql::new();
    sql.line(format!("SELECT {columns}"));
    sql.block("FROM (", ") AS session", |sql| {
        sql.line(format!("SELECT {} AS ok", conditions.join(" AND ")));
        // The test is run once, not for each row.
        sql.line("OFFSET 0");
    });
    // The rows keep their order: a join with one row on the other side can only be a nested loop.
    sql.block("LEFT JOIN LATERAL (", ") AS q ON true", |sql| {
        sql.line("SELECT *, true AS found");
        sql.block("FROM (", ") AS q", |sql| {
            // As it is: a constant in a fragment may have more than one line, and must not be indented.
            sql.line(statement);
        });
        sql.line("WHERE session.ok");
    });
    sql.line("WHERE q.found OR NOT session.ok");
    Some(sql.finish())
}
