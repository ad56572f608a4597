//! The statements that read documents.

use crate::schema::View;
use crate::sql::text::{Sql, column};

/// The statements that read documents.
#[derive(Debug)]
pub struct ReadSql {
    /// The document of the one key in the array `$1`.
    pub find: String,
    /// The documents of the keys in the array `$1`, in its order; those that exist.
    pub find_many: String,
}

pub(crate) fn compose(view: &View) -> ReadSql {
    let key = column("v", view.key.column);
    let ty = view.key.ty.sql;
    let mut find = Sql::new();
    find.line("SELECT v.data");
    find.line(format!("FROM {} AS v", view.table));
    find.line(format!("WHERE {key} = ($1::{ty}[])[1]"));
    let mut many = Sql::new();
    many.line(format!("SELECT v.data, {key}::text AS \"key\""));
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
    }
}
