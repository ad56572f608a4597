//! The statements that read documents by key.
//!
//! A stale document, which an older or a newer release of the application has written, is read as
//! null, and then built from the base tables.

use crate::schema::View;
use crate::sql::document;
use crate::sql::document::BatchSize;
use crate::sql::key_column::first_of_parameter;
use crate::sql::shape;
use crate::sql::text::{Sql, column};

/// The statements that read documents by key.
#[derive(Debug)]
pub struct ReadSql {
    /// The document of the one key in the array `$1`; null if it is stale.
    pub find: String,
    /// The documents of the keys in the array `$1`, with the positions of the keys in it. A stale
    /// document is null, and a key without a document has no row.
    pub find_many: String,
    /// Builds the documents of the keys in the array `$1`, whose positions are in the array `$2`.
    /// The columns are those of [`find_many`](Self::find_many).
    pub build: String,
}

/// Composes the statements of a view, whose shape has the number `number`.
pub(crate) fn compose(view: &View, number: i64) -> ReadSql {
    let key = column("v", view.key_column());
    let ty = view.key.ty.sql;
    // One comparison in the same row: a stale document costs a second statement, a current one
    // nothing.
    let data = format!(
        "CASE WHEN v.shape = {} THEN v.data END AS data",
        shape::literal(number)
    );
    let mut find = Sql::new();
    find.line(format!("SELECT {data}"));
    find.line(format!("FROM {} AS v", view.table));
    find.line(format!("WHERE {}", first_of_parameter(&key, view, 1)));
    let mut many = Sql::new();
    many.line("SELECT");
    many.block_list([data, "wanted.place".to_owned()]);
    many.line(format!(
        "FROM pg_catalog.unnest($1::{ty}[]) WITH ORDINALITY AS wanted (\"key\", place)"
    ));
    many.line(format!(
        "JOIN {} AS v ON {key} = wanted.\"key\"",
        view.table
    ));
    many.line("ORDER BY wanted.place");
    ReadSql {
        find: find.finish(),
        find_many: many.finish(),
        build: build(view),
    }
}

/// Builds documents. The keys have the alias `v`, which no row of a document has.
fn build(view: &View) -> String {
    let ty = view.key.ty.sql;
    let mut sql = Sql::new();
    sql.line("SELECT b.\"data\", v.place");
    sql.line(format!(
        "FROM ROWS FROM (pg_catalog.unnest($1::{ty}[]), pg_catalog.unnest($2::int8[])) AS v (\"key\", place)"
    ));
    sql.block("CROSS JOIN LATERAL (", ") AS b", |sql| {
        document::write(sql, view, BatchSize::Few, |root| {
            vec![format!("{} = v.\"key\"", column(root, view.key.column))]
        });
        // Keeps the planner from joining all documents: each row is looked up by its key.
        sql.line("OFFSET 0");
    });
    sql.line("ORDER BY v.place");
    sql.finish()
}
