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
//! | `groups` | the groups of the rows of a list |
//! | `values` | the values of a list of scalars |
//! | `record` | the record of a row |
//! | `composer` | aliases, and the state that the files above share |
//! | `from`, `options` | the FROM clause of a table; the options of a query |

mod composer;
mod from;
mod groups;
mod joins;
mod lists;
mod options;
mod query;
mod record;
mod values;

use self::composer::Composer;
pub(crate) use self::from::write_from;
use self::options::Purpose;
pub(crate) use self::options::{BatchSize, Extract};
use self::query::RootSelect;
use crate::schema::scalar::ScalarType;
use crate::schema::{Data, Field, Key, Promoted, Shape, Source, View};
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
        vec![view.base_key(root).is_in(&view.key.array("$1"))]
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
    let mut columns = vec![format!("{} AS \"key\"", view.base_key(&root).value())];
    let mut uses_document = false;
    for (field, promoted) in promoted_fields(view) {
        let Some(value) = PromotedValue::of(field, &root, &document) else {
            continue;
        };
        uses_document |= value.is_of_document;
        columns.push(format!(
            "{} AS {}",
            value.sql,
            ident(&label(view, promoted.column))
        ));
    }
    columns.push(data_column(view, &document, |_| true));
    let select = RootSelect {
        shape: view.shape,
        root: &root,
        document: &document,
        columns,
        fenced: uses_document,
    };
    composer.write(sql, select, conditions);
}

/// The column of the documents, of which this is the alias. Hidden fields are in the record, which
/// promoted columns are taken from, and not in the document. `built` are the fields of the record.
fn data_column(view: &View, document: &str, built: impl Fn(usize) -> bool) -> String {
    if !view.shape.has_hidden() {
        return format!(
            "pg_catalog.to_{}({}) AS \"data\"",
            view.data.sql(),
            row_argument(document)
        );
    }
    let shown = fields_as_json(view, document, |index, field| {
        built(index) && !field.is_hidden()
    });
    format!("{shown} AS \"data\"")
}

/// The hidden fields of a document, of which this is the alias, as one object.
fn hidden_column(view: &View, document: &str) -> String {
    let hidden = fields_as_json(view, document, |_, field| field.is_hidden());
    format!("{hidden}::text AS {HIDDEN}")
}

/// The name of the column of hidden fields in the results of reads.
pub(crate) const HIDDEN: &str = "fraiseql_hidden";

/// The hidden fields of a row of the view table, as one object in a column of this name. `None` if
/// there are none.
pub(crate) fn stored_hidden(view: &View, row: &str) -> Option<String> {
    let columns: Vec<String> = promoted_fields(view)
        .filter(|(field, _)| field.is_hidden())
        .filter_map(|(field, promoted)| {
            let stored = column(row, promoted.column);
            let value = field.source.scalar()?.encode_stored(stored);
            Some(format!("{value} AS {}", ident(field.json)))
        })
        .collect();
    (!columns.is_empty()).then(|| {
        format!(
            "(SELECT pg_catalog.to_json(\"_fields\".*) FROM (SELECT {}) AS \"_fields\")::text AS {HIDDEN}",
            columns.join(", ")
        )
    })
}

/// Some fields of a record, as one object.
fn fields_as_json(view: &View, record: &str, includes: impl Fn(usize, &Field) -> bool) -> String {
    let fields = view.shape.fields.iter().enumerate();
    let columns: Vec<String> = fields
        .filter(|(index, field)| includes(*index, field))
        .map(|(_, field)| format!("{} AS {}", column(record, field.json), ident(field.json)))
        .collect();
    format!(
        "(SELECT pg_catalog.to_{}(\"_fields\".*) FROM (SELECT {}) AS \"_fields\")",
        view.data.sql(),
        columns.join(", ")
    )
}

/// Writes the query that builds documents to be read, without the fields of these keys. Its column is
/// `data`, and `hidden` if the view has hidden fields and the documents are read as structs.
pub(crate) fn write_data(
    sql: &mut Sql,
    view: &View,
    unbuilt: &[String],
    with_hidden: bool,
    conditions: impl FnOnce(&str) -> Vec<String>,
) {
    let mut composer = Composer::new(view.data, BatchSize::Few, Purpose::Documents);
    let fields = view.shape.fields.iter().enumerate();
    let built: Vec<usize> = fields
        .filter(|(_, field)| unbuilt.iter().all(|key| key != field.json))
        .map(|(index, _)| index)
        .collect();
    // A record has at least one column.
    let is_built = |index| unbuilt.is_empty() || built.is_empty() || built.contains(&index);
    let (root, document) = composer.root();
    let mut columns = vec![data_column(view, &document, is_built)];
    if with_hidden && view.shape.has_hidden() {
        columns.push(hidden_column(view, &document));
    }
    if !unbuilt.is_empty() && !built.is_empty() {
        composer.root_fields = Some(built);
    }
    let select = RootSelect {
        shape: view.shape,
        root: &root,
        document: &document,
        columns,
        fenced: false,
    };
    composer.write(sql, select, conditions);
}

/// Writes the query of a live view's rows without their documents: the key and these promoted columns,
/// named and typed as in a view table. A list is filtered and sorted by them, and builds the
/// documents of one page.
pub(crate) fn write_rows(sql: &mut Sql, view: &View, wanted: &[&str]) {
    let mut composer = Composer::new(view.data, BatchSize::Few, Purpose::Documents);
    let (root, document) = composer.root();
    let names = view.key_columns();
    let mut columns: Vec<String> = view
        .key
        .iter()
        .zip(&names)
        .map(|((base, ty), stored)| {
            format!("{}::{} AS {}", column(&root, base), ty.sql, ident(stored))
        })
        .collect();
    let mut of_document = Vec::new();
    for (index, field) in view.shape.fields.iter().enumerate() {
        let Some(promoted) = field.promoted.filter(|it| wanted.contains(&it.column)) else {
            continue;
        };
        let Some(value) = PromotedValue::of(field, &root, &document) else {
            continue;
        };
        if value.is_of_document {
            of_document.push(index);
        }
        // The base table may have another type. A cast to the same type costs nothing.
        columns.push(format!(
            "({})::{} AS {}",
            value.sql,
            value.ty.sql_name(),
            ident(promoted.column)
        ));
    }
    if of_document.is_empty() {
        sql.line("SELECT");
        sql.block_list(columns);
        write_from(sql, view.shape.table, &root, view.shape.filter.as_slice());
        return;
    }
    composer.root_fields = Some(of_document);
    composer.checks_nulls = false;
    let select = RootSelect {
        shape: view.shape,
        root: &root,
        document: &document,
        columns,
        fenced: true,
    };
    composer.write(sql, select, |_| Vec::new());
}

/// The fields with a promoted column.
fn promoted_fields(view: &View) -> impl Iterator<Item = (&'static Field, Promoted)> {
    let fields = view.shape.fields.iter();
    fields.filter_map(|field| Some((field, field.promoted?)))
}

/// The value of a promoted column.
struct PromotedValue {
    sql: String,
    ty: &'static ScalarType,
    /// Whether it is taken from the record of the document.
    is_of_document: bool,
}

impl PromotedValue {
    /// The value that a field promotes, given the aliases of its row and of the document.
    fn of(field: &'static Field, root: &str, document: &str) -> Option<Self> {
        // The derives refuse to promote objects and lists.
        let ty = field.source.scalar()?;
        let of_row = match &field.source {
            Source::Column { column: name, .. } => promoted_column(root, name, ty),
            _ => None,
        };
        Some(Self {
            is_of_document: of_row.is_none(),
            // A value that was computed for the document is taken from it, not computed again.
            sql: of_row.unwrap_or_else(|| ty.decode(column(document, field.json))),
            ty,
        })
    }
}

/// Writes the query that builds the objects of a part. Its columns are `key`, the key of the rows, and `part`. `conditions` selects the rows, given their alias.
pub(crate) fn part(
    sql: &mut Sql,
    shape: &'static Shape,
    key: &Key,
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
            format!("{} AS \"key\"", key.of_row(&root).value()),
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
            format!("ARRAY[{}] AS \"key\"", view.base_key(&root).value()),
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
