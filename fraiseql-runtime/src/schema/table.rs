//! The constant tables that the derives emit. SQL, DDL, JSON keys, checks and GraphQL types are all
//! read from them.
//!
//! A table refers to the table of a part by function pointer, so that types may refer to each other:
//! cyclic types still compile to tables, and the cycle can then be reported by its names.

use crate::schema::bookkeeping;
use crate::schema::scalar::ScalarType;

/// The description of one struct: the base table that it reads, and its fields.
///
/// ```
/// use fraiseql_runtime::schema::Source;
/// use fraiseql_runtime::{Embed, TView};
///
/// #[derive(TView)]
/// struct Post {
///     id: i64,
///     #[tview(one(fk = "author_id"))]
///     author: Author,
/// }
///
/// #[derive(Embed)]
/// #[tview(table = "app.tb_user")]
/// struct Author { id: i64, full_name: String }
///
/// # fn main() {
/// let Source::One(one) = &Post::SHAPE.fields[1].source else { unreachable!() };
/// assert_eq!(one.fk, "author_id");
/// let author = (one.shape)();
/// assert_eq!((author.table.schema, author.table.name), ("app", "tb_user"));
/// assert_eq!(author.fields[1].json, "fullName");
/// # }
/// ```
#[derive(Debug)]
pub struct Shape {
    /// A unique identifier: module, name, line and column of the struct.
    pub id: &'static str,
    /// The name of the struct in Rust.
    pub name: &'static str,
    /// The name of its GraphQL type.
    pub type_name: &'static str,
    /// Its documentation, which is its description in GraphQL.
    pub docs: Option<&'static str>,
    /// The base table.
    pub table: Table,
    /// The condition that rows of the base table must match, as SQL.
    pub filter: Option<&'static str>,
    /// The key column, if a field is the key.
    pub key: Option<Key>,
    /// The fields of the document, in the order of the struct.
    pub fields: &'static [Field],
}

/// The name of a table with its schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Table {
    /// The schema; by default `public`.
    pub schema: &'static str,
    /// The name of the table.
    pub name: &'static str,
}

/// The key column of a shape.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The column in the base table. [`View::key_column`] is the one in the view table.
    pub column: &'static str,
    /// Its type.
    pub ty: ScalarType,
}

/// One field of a document.
#[derive(Debug)]
pub struct Field {
    /// The name of the field in Rust.
    pub name: &'static str,
    /// Its key in the document.
    pub json: &'static str,
    /// Its documentation, which is its description in GraphQL.
    pub docs: Option<&'static str>,
    /// The source of its value.
    pub source: Source,
    /// The column of the view table, if the field is promoted.
    pub promoted: Option<Promoted>,
}

/// A document field that is also a typed column of the view table.
#[derive(Clone, Copy, Debug)]
pub struct Promoted {
    /// The column in the view table.
    pub column: &'static str,
    /// Whether documents can be filtered by it.
    pub filter: bool,
    /// Whether documents can be sorted by it.
    pub sort: bool,
    /// Whether its values are unique.
    pub unique: bool,
}

/// The source of a field's value.
#[derive(Debug)]
pub enum Source {
    /// A column of the row.
    Column {
        /// The name of the column.
        column: &'static str,
        /// The type of the field.
        ty: ScalarType,
    },
    /// An SQL expression over the row, whose alias is written `{}`.
    Expr {
        /// The expression.
        expr: &'static str,
        /// The type of the field.
        ty: ScalarType,
    },
    /// The row that a foreign key refers to.
    One(One),
    /// The rows that refer to this row.
    Many(Many),
    /// A value computed from the rows that refer to this row.
    Aggregate(Aggregate),
}

/// The row that a foreign key refers to.
#[derive(Debug)]
pub struct One {
    /// The foreign key: a column of this row.
    pub fk: &'static str,
    /// The referenced column of the part, if it is not its key.
    pub key: Option<&'static str>,
    /// Whether the field is an `Option`.
    pub nullable: bool,
    /// The shape of the part.
    pub shape: fn() -> &'static Shape,
}

/// The rows that refer to this row.
#[derive(Debug)]
pub struct Many {
    /// How the rows refer to this row.
    pub link: Link,
    /// The referenced column of this row, if it is not its key.
    pub key: Option<&'static str>,
    /// The order of the rows. The key of the part is appended, so that it is total.
    pub order_by: &'static [OrderBy],
    /// The maximum number of rows.
    pub limit: Option<u64>,
    /// The condition that the rows must match, as SQL.
    pub filter: Option<&'static str>,
    /// The shape of the part.
    pub shape: fn() -> &'static Shape,
}

/// How the rows of a list refer to their parent row.
#[derive(Clone, Copy, Debug)]
pub enum Link {
    /// By a foreign key: the name of a column of the rows.
    ForeignKey(&'static str),
    /// By the rows of a join table.
    Through {
        /// The join table.
        table: Table,
        /// Its column that references the parent row.
        fk: &'static str,
        /// Its column that references the row of the list.
        to: &'static str,
        /// The column that `to` references, if it is not the key of the part.
        key: Option<&'static str>,
    },
}

/// One term of an order.
#[derive(Clone, Copy, Debug)]
pub struct OrderBy {
    /// The name of the column.
    pub column: &'static str,
    /// Whether the largest value is first.
    pub descending: bool,
    /// Whether nulls are first; `None` for the default of PostgreSQL, which sorts nulls as larger than
    /// all values.
    pub nulls_first: Option<bool>,
}

/// A value computed from the rows that refer to this row.
#[derive(Clone, Copy, Debug)]
pub struct Aggregate {
    /// The function.
    pub function: Function,
    /// The table of the rows.
    pub table: Table,
    /// The foreign key: a column of those rows.
    pub fk: &'static str,
    /// The referenced column of this row, if it is not its key.
    pub key: Option<&'static str>,
    /// The aggregated expression, as SQL over a row, whose alias is written `{}`.
    pub expr: Option<&'static str>,
    /// The condition that rows must match, as SQL.
    pub filter: Option<&'static str>,
    /// The type of the field.
    pub ty: ScalarType,
}

/// An aggregate function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// The number of rows.
    Count,
    /// The sum. Without rows it is zero, or null if the field is an `Option`.
    Sum,
    /// The mean; null without rows.
    Avg,
    /// The smallest value; null without rows.
    Min,
    /// The largest value; null without rows.
    Max,
    /// Whether there is a row.
    Exists,
}

/// The type of the column of documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Data {
    /// `jsonb`: parsed, so it can be searched and indexed; converted to text on every read.
    Jsonb,
    /// `json`: text, which is read without conversion; keeps the order of the struct.
    Json,
}

impl Data {
    /// The name of the PostgreSQL type.
    #[must_use]
    pub const fn sql(self) -> &'static str {
        match self {
            Self::Jsonb => "jsonb",
            Self::Json => "json",
        }
    }
}

/// A view: a shape with a view table of its own.
#[derive(Debug)]
pub struct View {
    /// The shape of its documents.
    pub shape: &'static Shape,
    /// The view table.
    pub table: Table,
    /// The name that its functions end with: `post`.
    pub entity: &'static str,
    /// Its plural: `posts`.
    pub plural: &'static str,
    /// The name in camelCase of a field that has one document: `blogPost` for `blog_post`.
    pub field: &'static str,
    /// The name in camelCase of a field that has many: `blogPosts`.
    pub list_field: &'static str,
    /// The type of the column of documents.
    pub data: Data,
    /// When the documents that a mutation affects are synced.
    pub sync: SyncTime,
    /// The key. A view always has one.
    pub key: Key,
    /// The indexes of `index(..)`. Promoted columns have others.
    pub indexes: &'static [Index],
    /// The storage of the view table.
    pub storage: Storage,
}

impl View {
    /// The column of the key in the view table. It has the name of the column in the base table, with
    /// the prefix `doc_` if every view table has another column of that name.
    #[must_use]
    pub fn key_column(&self) -> &'static str {
        bookkeeping::stored_name(self.key.column)
    }
}

/// When the documents of a view that a mutation affects are synced: `sync` in the attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncTime {
    /// Just before the mutation commits, in its transaction.
    Commit,
    /// After the mutation has committed, by the worker.
    Eventual,
}

/// An index of a view table, declared by `index(..)`.
///
/// ```
/// use fraiseql_runtime::TView;
///
/// #[derive(TView)]
/// #[tview(
///     index(on = "author_id, created_at DESC"),
///     index(expr = "lower(title)", filter = "published"),
///     index(gin = "tags"),
///     index(fulltext = "title, body", language = "english", name = "post_words"),
///     fillfactor = 70,
///     partition(hash = 8)
/// )]
/// pub struct Post {
///     pub id: i64,
///     #[tview(filter)]
///     pub author_id: i64,
///     #[tview(sort)]
///     pub title: String,
///     pub body: String,
///     pub tags: Vec<String>,
///     #[tview(filter)]
///     pub published: bool,
///     #[tview(sort)]
///     pub created_at: chrono::DateTime<chrono::Utc>,
/// }
/// # fn main() {
/// assert_eq!(Post::VIEW.indexes.len(), 4);
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Index {
    /// Its name, if it was given.
    pub name: Option<&'static str>,
    /// The variable part of its default name: `tv_post_<stem>_idx`.
    pub stem: &'static str,
    /// The indexed columns or expression.
    pub on: IndexOn,
    /// Whether it is a unique index.
    pub unique: bool,
    /// The condition of a partial index, as SQL over the columns of the view table.
    pub filter: Option<&'static str>,
    /// The columns of the clause INCLUDE, which are stored in the index and not searched.
    pub include: &'static [&'static str],
}

/// The columns or the expression of an index.
#[derive(Clone, Copy, Debug)]
pub enum IndexOn {
    /// Columns of the view table.
    Columns {
        /// `btree`, `brin` or `hash`.
        method: &'static str,
        /// The columns and their directions.
        columns: &'static [OrderBy],
    },
    /// An SQL expression over the columns of the view table.
    Expr(&'static str),
    /// A GIN index of the document, or of the value at a path of JSON keys in it.
    Gin(&'static [&'static str]),
    /// A full-text index.
    FullText {
        /// The texts, which are searched as one text.
        texts: &'static [SearchText],
        /// The text search configuration: a name that PostgreSQL casts to `regconfig`.
        language: &'static str,
    },
}

/// A text in a full-text index.
#[derive(Clone, Copy, Debug)]
pub enum SearchText {
    /// A column of the view table.
    Column(&'static str),
    /// The value at a path of JSON keys in the document.
    Document(&'static [&'static str]),
}

/// The storage of a view table.
#[derive(Clone, Copy, Debug)]
pub struct Storage {
    /// Whether the table is not logged (WAL): faster to write, and empty after a crash of the server.
    pub unlogged: bool,
    /// How far inserts fill a page, in percent. The rest is for new versions of its rows: an update
    /// that fits into the same page needs no new index entries (HOT).
    pub fillfactor: u8,
    /// The partitioning, if the table is partitioned.
    pub partition: Option<Partition>,
}

impl Storage {
    /// The default: logged, filled to 85 percent, not partitioned.
    pub const DEFAULT: Self = Self {
        unlogged: false,
        fillfactor: 85,
        partition: None,
    };
}

/// The partitioning of a view table, by the key of its documents.
#[derive(Clone, Copy, Debug)]
pub enum Partition {
    /// By the hash of the key, into this number of partitions.
    Hash(u16),
    /// By ranges of keys with these bounds: one partition before the first bound, and one from each
    /// bound on.
    Range(&'static [&'static str]),
}

impl Shape {
    /// The key column, or `id` if no field is the key.
    #[must_use]
    pub fn key_column(&self) -> &'static str {
        self.key.map_or("id", |key| key.column)
    }
}
