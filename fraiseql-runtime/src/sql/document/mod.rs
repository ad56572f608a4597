//! The query that builds documents.
//!
//! Every object is a row of a LATERAL sub-select, whose columns are named like the JSON keys. A
//! list is an array of such rows. One `to_jsonb` at the top converts the whole: *build rows,
//! convert once*. This takes half the time of nested `jsonb_build_object` calls, and it has no
//! limit of 50 fields, because no function takes the fields as arguments. A row that is missing on
//! the right side of a LEFT JOIN is null, and so is its JSON.
//!
//! For a view of `tb_post` with `id`, `title` and `one(fk = "author_id")`, the query is:
//!
//! ```text
//! SELECT
//!   "root"."id" AS "key",
//!   pg_catalog.to_jsonb("_document".*) AS "data"      -- converts all objects at once
//! FROM "public"."tb_post" AS "root"
//! LEFT JOIN LATERAL (                                 -- the record of the author
//!   SELECT
//!     .. AS "id",
//!     "author"."full_name" AS "fullName"
//!   FROM "public"."tb_user" AS "author"
//!   WHERE "author"."id" = "root"."author_id"
//!   OFFSET 0
//! ) AS "_author" ON true
//! CROSS JOIN LATERAL (                                -- the record of the post
//!   SELECT
//!     .. AS "id",
//!     "root"."title" AS "title",
//!     "_author".*::pg_catalog.record AS "author"      -- a record inside of a record
//! ) AS "_document"
//! WHERE ..
//! ```
//!
//! The alias of a row is the path of field names to it (`"comments_author"`), that of a record starts
//! with `_` (`"_comments_author"`). Both are always followed by a column or by `.*`: an alias alone would
//! mean a column of the same name, if a table in scope has one.
//!
//! | file | composes |
//! |---|---|
//! | this one | the entry points, and the promoted columns |
//! | `query` | the outermost SELECT |
//! | `joins` | the joins of a row: objects, expressions, shared lists, aggregates |
//! | `lists` | the rows of a list |
//! | `record` | the record of a row |
//! | `composer` | aliases, and the state that the files above share |
//! | `from`, `options` | the FROM clause of a table; the options of a query |

mod composer;
mod from;
mod joins;
mod lists;
mod options;
mod query;
mod record;

use self::composer::Composer;
pub(crate) use self::from::write_from;
use self::options::Purpose;
pub(crate) use self::options::{BatchSize, Extract};
use self::query::RootSelect;
use crate::schema::scalar::ScalarType;
use crate::schema::{Data, Shape, Source, View};
use crate::sql::differences::label;
use crate::sql::text::{Sql, column, ident, row_argument};

/// The query that builds the documents of the keys `$1`, to read it or to EXPLAIN it.
///
/// It is the core of [`SyncSql::write`](super::sync::SyncSql::write), and shown in full in
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
    write(&mut sql, view, BatchSize::Few, |root| {
        vec![format!(
            "{} = ANY ($1::{}[])",
            column(root, view.key.column),
            view.key.ty.sql
        )]
    });
    sql.finish()
}

/// Writes the query that builds documents. Its columns are `key`, the promoted columns with their
/// [`label`], and `data`. `conditions` selects the root rows, given their alias.
pub(crate) fn write(
    sql: &mut Sql,
    view: &View,
    batch_size: BatchSize,
    conditions: impl FnOnce(&str) -> Vec<String>,
) {
    let mut composer = Composer::new(view.data, batch_size, Purpose::Documents);
    let (root, document) = composer.root();
    let mut columns = vec![format!("{} AS \"key\"", column(&root, view.key.column))];
    let mut uses_document = false;
    for field in view.shape.fields {
        let Some(promoted) = field.promoted else {
            continue;
        };
        // A value that was computed for the document is taken from it, not computed again.
        let from_document = |ty: &ScalarType| ty.decode(column(&document, field.json));
        let value = match &field.source {
            Source::Column { column: name, ty } => {
                promoted_column(&root, name, ty).unwrap_or_else(|| from_document(ty))
            }
            Source::Expr { ty, .. } => from_document(ty),
            Source::Aggregate(aggregate) => from_document(&aggregate.ty),
            // The derives refuse to promote objects and lists.
            Source::One(_) | Source::Many(_) => continue,
        };
        uses_document |=
            !matches!(field.source, Source::Column { ty, .. } if !ty.promotes_encoded());
        columns.push(format!(
            "{value} AS {}",
            ident(&label(view, promoted.column))
        ));
    }
    columns.push(format!(
        "pg_catalog.to_{}({}) AS \"data\"",
        view.data.sql(),
        row_argument(&document)
    ));
    let select = RootSelect {
        shape: view.shape,
        root: &root,
        document: &document,
        columns,
        fenced: uses_document,
    };
    composer.write(sql, select, conditions);
}

/// Writes the query that builds the objects of a part. Its columns are `key`, which is the column
/// `key` of the rows, and `part`. `conditions` selects the rows, given their alias.
pub(crate) fn part(
    sql: &mut Sql,
    shape: &'static Shape,
    key: &str,
    conditions: impl FnOnce(&str) -> Vec<String>,
) {
    let mut composer = Composer::new(Data::Jsonb, BatchSize::Few, Purpose::Documents);
    // Inside of the document.
    composer.levels += 1;
    let (root, document) = composer.root();
    let select = RootSelect {
        shape,
        root: &root,
        document: &document,
        columns: vec![
            format!("{} AS \"key\"", column(&root, key)),
            format!("pg_catalog.to_jsonb({}) AS part", row_argument(&document)),
        ],
        fenced: false,
    };
    composer.write(sql, select, conditions);
}

/// The query that builds a part of each document, to find out whether that raises an error. It does
/// not look for nulls.
pub(crate) fn extract(
    view: &View,
    extract: Extract,
    conditions: impl FnOnce(&str) -> Vec<String>,
) -> String {
    let mut composer = Composer::new(view.data, BatchSize::Few, Purpose::Documents);
    composer.extract = Some(extract);
    let (root, document) = composer.root();
    let select = RootSelect {
        shape: view.shape,
        root: &root,
        document: &document,
        columns: vec![format!(
            "pg_catalog.to_{}({document}) AS \"data\"",
            view.data.sql()
        )],
        fenced: false,
    };
    let mut sql = Sql::new();
    composer.write(&mut sql, select, conditions);
    sql.finish()
}

/// What a promoted column stores of a column of `row`; `None` if it stores the encoded value of
/// the document.
pub(crate) fn promoted_column(row: &str, name: &str, ty: &ScalarType) -> Option<String> {
    if ty.promotes_encoded() {
        return None;
    }
    let value = column(row, name);
    // A `String` field may read a column of another type.
    Some(match ty.sql {
        "text" => format!("{value}::{}", ty.sql_name()),
        _ => value,
    })
}

/// The query that finds the values which make documents invalid. It yields for each key, in an
/// array, an object with the structure of the document: for a rejected value the reason as text,
/// for a valid one null. For a missing row the reason is under the key of the field followed by
/// `?`. `conditions` selects the root rows, given their alias.
pub(crate) fn reject_reasons(
    view: &View,
    extract: Option<Extract>,
    conditions: impl FnOnce(&str) -> Vec<String>,
) -> String {
    let mut composer = Composer::new(view.data, BatchSize::Few, Purpose::RejectReasons);
    composer.extract = extract;
    let (root, document) = composer.root();
    let select = RootSelect {
        shape: view.shape,
        root: &root,
        document: &document,
        columns: vec![
            format!("ARRAY[{}] AS \"key\"", column(&root, view.key.column)),
            format!(
                "pg_catalog.to_jsonb({}) AS \"flaws\"",
                row_argument(&document)
            ),
        ],
        fenced: false,
    };
    let mut sql = Sql::new();
    composer.write(&mut sql, select, conditions);
    sql.finish()
}
