//! The query that builds documents.
//!
//! Every object is a row of a LATERAL sub-select whose columns are named like the JSON keys;
//! a list is an array of such rows; one `to_jsonb` at the top converts the whole. That costs
//! half of nested `jsonb_build_object` calls, and has no limit of 50 fields. A row that is
//! missing on the right of a LEFT JOIN is null, and so is its JSON.
//!
//! Row aliases are the path of field names (`"comments_author"`), and are always followed by
//! a column. Aliases of objects start with `_` (`"_comments_author"`), because they stand
//! alone, where a column of the same name would win.
//!
//! Here the query as a whole; `composer` joins the rows, `record` makes their objects.

mod composer;
mod record;

use self::composer::Composer;
use crate::schema::scalar::ScalarType;
use crate::schema::{Data, Shape, Source, Table, View};
use crate::sql::form;
use crate::sql::text::{Sql, column, fragment, ident};

/// How the rows that foreign keys refer to are found.
///
/// Looked up one by one, by index, wherever there are few of them: the planner does not know
/// how small a batch is, and would rather read a whole table of a thousand rows than look up
/// ten. `OFFSET 0` keeps it from making a join of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lookup {
    /// For few documents: one by one everywhere.
    Few,
    /// For many documents: as the planner likes inside their lists, whose rows are a
    /// multiple; one by one for the documents themselves, and inside lists of lists and limited
    /// lists, which are built again for each row around them.
    Many,
}

/// What the records of a query hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The values.
    Documents,
    /// Why values cannot be held.
    Flaws,
}

/// The query that builds the documents of the keys `$1`, for people: to read, to EXPLAIN.
/// It is the heart of [`SyncSql::write`](super::sync::SyncSql::write), and shown in whole in
/// [a guide](crate::guide::expanded#in-sql).
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
/// # #[derive(TView)]
/// # pub struct Post { pub id: i64, pub title: String }
/// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL)", async |pool| {
/// let sql = fraiseql_runtime::sql::document::query(Post::VIEW);
/// let plan: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("EXPLAIN {sql}")))
///     .bind(vec![7_i64])
///     .fetch_all(&pool)
///     .await?;
/// println!("{}", plan.join("\n"));
/// # assert!(plan.join("\n").contains("tb_post"));
/// # Ok(()) }) }
/// ```
#[must_use]
pub fn query(view: &View) -> String {
    let mut sql = Sql::new();
    write(&mut sql, view, Lookup::Few, |root| {
        vec![format!(
            "{} = ANY ($1::{}[])",
            column(root, view.key.column),
            view.key.ty.sql
        )]
    });
    sql.finish()
}

/// Writes the query that builds the documents of the rows that `pick` allows, given the
/// root row's alias: columns `key`, the promoted ones, and `data`.
pub(crate) fn write(
    sql: &mut Sql,
    view: &View,
    lookup: Lookup,
    pick: impl FnOnce(&str) -> Vec<String>,
) {
    let mut composer = Composer::new(view.data, lookup, Purpose::Documents);
    let (root, document) = composer.root();
    let mut select = vec![format!("{} AS \"key\"", column(&root, view.key.column))];
    let mut computed = false;
    for field in view.shape.fields {
        let Some(promoted) = field.promoted else {
            continue;
        };
        // What was computed for the document is not computed again.
        let in_document = |ty| form::back(column(&document, field.json), ty);
        let value = match &field.source {
            Source::Column { column: name, ty } => {
                promoted_column(&root, name, ty).unwrap_or_else(|| in_document(ty))
            }
            Source::Expr { ty, .. } => in_document(ty),
            Source::Aggregate(aggregate) => in_document(&aggregate.ty),
            // The derives refuse to promote objects and lists.
            Source::One(_) | Source::Many(_) => continue,
        };
        computed |= !matches!(field.source, Source::Column { ty, .. } if !form::is_renamed(&ty));
        select.push(format!("{value} AS {}", ident(promoted.column)));
    }
    select.push(format!(
        "pg_catalog.to_{}({document}) AS \"data\"",
        view.data.sql()
    ));
    composer.write(sql, view.shape, &root, &document, select, computed, pick);
}

/// Writes the query that builds what stands in documents for the rows of a part: columns `key`,
/// which is the rows' column `key`, and `part`.
pub(crate) fn part(
    sql: &mut Sql,
    shape: &'static Shape,
    key: &str,
    pick: impl FnOnce(&str) -> Vec<String>,
) {
    let mut composer = Composer::new(Data::Jsonb, Lookup::Few, Purpose::Documents);
    let (root, document) = composer.root();
    let select = vec![
        format!("{} AS \"key\"", column(&root, key)),
        format!("pg_catalog.to_jsonb({document}) AS part"),
    ];
    composer.write(sql, shape, &root, &document, select, false, pick);
}

/// What a promoted column stores of a column of `row`; `None` where it is what the document has.
pub(crate) fn promoted_column(row: &str, name: &str, ty: &ScalarType) -> Option<String> {
    if form::is_renamed(ty) {
        return None;
    }
    let value = column(row, name);
    // A String may be a column of another type.
    Some(match ty.sql {
        "text" => format!("{value}::{}", ty.sql_name()),
        _ => value,
    })
}

/// The query that says why the documents of the keys `$1` cannot be written: for each key, in
/// an array, an object of the document's shape with reasons, as text, in the place of values
/// that are flawed, and null in the place of others. A row that is missing is a reason under
/// the field's key with `?` behind it.
pub(crate) fn flaws(view: &View, pick: impl FnOnce(&str) -> Vec<String>) -> String {
    let mut composer = Composer::new(view.data, Lookup::Few, Purpose::Flaws);
    let (root, document) = composer.root();
    let select = vec![
        format!("ARRAY[{}] AS \"key\"", column(&root, view.key.column)),
        format!("pg_catalog.to_jsonb({document}) AS \"flaws\""),
    ];
    let mut sql = Sql::new();
    composer.write(&mut sql, view.shape, &root, &document, select, false, pick);
    sql.finish()
}

/// `FROM` a base table. A filter's columns are meant to be the table's, so it stands in a
/// sub-select of its own, where no other name is in sight. The planner flattens it.
pub(crate) fn write_from(sql: &mut Sql, table: Table, row: &str, filters: &[&str]) {
    if filters.is_empty() {
        sql.line(format!("FROM {table} AS {row}"));
        return;
    }
    sql.block("FROM (", format!(") AS {row}"), |sql| {
        sql.line("SELECT *");
        sql.line(format!("FROM {table} AS {row}"));
        let conditions: Vec<String> = filters
            .iter()
            .map(|filter| format!("({})", fragment(filter, row)))
            .collect();
        sql.conditions("WHERE", &conditions);
    });
}
