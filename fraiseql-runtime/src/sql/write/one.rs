//! The guarded statement for one document that has to be written, which is what a sync of one key
//! usually finds.
//!
//! Starting a statement of many CTEs takes longer than building one document. This one has none: it
//! is `built` and `written` of the guarded statement, with the same conditions, and returns a row if
//! it has written the document. It returns none if the document is equal, in conflict or without a
//! root row, if the session is unsuitable, and if a transaction that has synced may be open. It has
//! done nothing then, and the guarded statement, which tells these cases apart, has to follow.

use crate::schema::View;
use crate::sql::document::BatchSize;
use crate::sql::text::Sql;
use crate::sql::write::protocol::WriteProtocol;
use crate::sql::write::write_statement::WriteStatement;

/// Columns of the row that the statement returns.
pub(crate) mod result_row {
    /// The version of the document: 1 if it was inserted.
    pub(crate) const VERSION: usize = 0;
    /// The size of the document, in bytes.
    pub(crate) const BYTES: usize = 1;
}

/// Composes the statement. `$1` is an array with one key.
pub(crate) fn compose(view: &View, number: i64) -> String {
    let statement = WriteStatement::new(view, number, BatchSize::Few, WriteProtocol::Guarded);
    let mut sql = Sql::new();
    statement.upsert(&mut sql, &statement.guard(), |sql| {
        sql.block("FROM (", ") AS built", |sql| {
            statement.built_rows(sql, |root_key| {
                vec![root_key.is_first_of_parameter(1), statement.may_write()]
            });
        });
        // No ORDER BY: there is one document, and one lock.
        sql.line("WHERE changed AND NOT held");
    });
    sql.line("RETURNING v.version, pg_catalog.pg_column_size(v.data)::int8 AS bytes");
    sql.finish()
}

impl WriteStatement<'_> {
    /// Whether the session is suitable, and no transaction that has synced may be open. The sub-select
    /// is evaluated once, before a row is read.
    fn may_write(&self) -> String {
        let mut conditions = self.session_conditions();
        conditions.push(format!("{} IS NULL", self.writer(None)));
        format!("(SELECT {})", conditions.join("\n  AND "))
    }
}
