//! The constant tables that the derives emit. Everything else is read from them: SQL, DDL,
//! JSON names, and what they are named after.
//!
//! A child is reached by function pointer, so that types may refer to each other freely:
//! a cycle still compiles to tables, and can then be reported by name.

use crate::schema::scalar::ScalarType;

/// The shape of one struct: the base table it reads, and its fields.
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
    /// Tells two shapes apart: module, name and place of the struct.
    pub id: &'static str,
    /// The struct's name in Rust.
    pub name: &'static str,
    /// Its name in GraphQL.
    pub type_name: &'static str,
    /// Its documentation, which describes it in GraphQL.
    pub docs: Option<&'static str>,
    /// The base table.
    pub table: Table,
    /// Which rows of the base table there are for this shape, as SQL.
    pub filter: Option<&'static str>,
    /// The column that identifies a row, where a field is the key.
    pub key: Option<Key>,
    /// The fields of the document, in the struct's order.
    pub fields: &'static [Field],
}

/// A table's name in two parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Table {
    /// The schema; `public` where none was written.
    pub schema: &'static str,
    /// The table's own name.
    pub name: &'static str,
}

/// The key column of a shape.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The column in the base table, and in the view table.
    pub column: &'static str,
    /// Its type.
    pub ty: ScalarType,
}

/// One field of a document.
#[derive(Debug)]
pub struct Field {
    /// The field's name in Rust.
    pub name: &'static str,
    /// The key in the document.
    pub json: &'static str,
    /// Its documentation, which describes it in GraphQL.
    pub docs: Option<&'static str>,
    /// Where its value comes from.
    pub source: Source,
    /// Whether it is also a column of the view table.
    pub promoted: Option<Promoted>,
}

/// A document field that is also a typed column of the view table.
#[derive(Clone, Copy, Debug)]
pub struct Promoted {
    /// The column in the view table.
    pub column: &'static str,
    /// Documents are found by it.
    pub filter: bool,
    /// Documents are ordered by it.
    pub sort: bool,
    /// No two documents have the same.
    pub unique: bool,
}

/// Where the value of a field comes from.
#[derive(Debug)]
pub enum Source {
    /// A column of the row.
    Column {
        /// Its name.
        column: &'static str,
        /// The field's type.
        ty: ScalarType,
    },
    /// An SQL expression over the row, whose alias is written `{}`.
    Expr {
        /// The expression.
        expr: &'static str,
        /// The field's type.
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
    /// The referring column, in this row's table.
    pub fk: &'static str,
    /// The column it refers to, where that is not the child's key.
    pub key: Option<&'static str>,
    /// Whether the field is an `Option`.
    pub nullable: bool,
    /// The child's shape.
    pub shape: fn() -> &'static Shape,
}

/// The rows that refer to this row.
#[derive(Debug)]
pub struct Many {
    /// How they refer to it.
    pub link: Link,
    /// The column of this row that they refer to, where that is not its key.
    pub key: Option<&'static str>,
    /// Their order; the child's key is appended, so that it is total.
    pub order_by: &'static [OrderBy],
    /// How many there are at most.
    pub limit: Option<u64>,
    /// Which of them there are, as SQL.
    pub filter: Option<&'static str>,
    /// The child's shape.
    pub shape: fn() -> &'static Shape,
}

/// How the rows of a list refer to their parent.
#[derive(Clone, Copy, Debug)]
pub enum Link {
    /// By a column of their own.
    ForeignKey(&'static str),
    /// By the rows of a join table.
    Through {
        /// The join table.
        table: Table,
        /// Its column that refers to the parent.
        fk: &'static str,
        /// Its column that refers to the child.
        to: &'static str,
        /// The column it refers to, where that is not the child's key.
        key: Option<&'static str>,
    },
}

/// One term of an order.
#[derive(Clone, Copy, Debug)]
pub struct OrderBy {
    /// The column.
    pub column: &'static str,
    /// Largest first.
    pub descending: bool,
    /// Where nulls go, if it was said: `Some(true)` is first.
    pub nulls_first: Option<bool>,
}

/// A value computed from the rows that refer to this row.
#[derive(Clone, Copy, Debug)]
pub struct Aggregate {
    /// The function.
    pub function: Function,
    /// The table of the rows.
    pub table: Table,
    /// Their column that refers to this row.
    pub fk: &'static str,
    /// The column of this row that they refer to, where that is not its key.
    pub key: Option<&'static str>,
    /// What is aggregated, as SQL over the row, whose alias is written `{}`.
    pub expr: Option<&'static str>,
    /// Which rows are counted, as SQL.
    pub filter: Option<&'static str>,
    /// The field's type.
    pub ty: ScalarType,
}

/// An aggregate function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// How many rows there are.
    Count,
    /// The sum; zero for no rows, unless the field is an `Option`.
    Sum,
    /// The mean; null for no rows.
    Avg,
    /// The smallest; null for no rows.
    Min,
    /// The largest; null for no rows.
    Max,
    /// Whether there is a row.
    Exists,
}

/// How a view stores its documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Data {
    /// Parsed: can be searched and indexed, is printed anew on every read.
    Jsonb,
    /// Text: read as it is, without being printed anew; keeps the struct's order.
    Json,
}

impl Data {
    /// The name of the type in SQL.
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
    /// The name its functions end with: `post`.
    pub entity: &'static str,
    /// Its plural: `posts`.
    pub plural: &'static str,
    /// How documents are stored.
    pub data: Data,
    /// The key. A view always has one.
    pub key: Key,
    /// The indexes of the view table, beside those of promoted columns.
    pub indexes: &'static [Index],
    /// How the rows of the view table are kept.
    pub storage: Storage,
}

/// An index of a view table, by `index(..)`.
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
    /// Its name, where one was given.
    pub name: Option<&'static str>,
    /// What its name is made of, where none was given: `tv_post_<stem>_idx`.
    pub stem: &'static str,
    /// What is indexed.
    pub on: IndexOn,
    /// No two documents have the same.
    pub unique: bool,
    /// Which rows are in the index, as SQL over the columns of the view table.
    pub filter: Option<&'static str>,
    /// Columns that are in the index to be read, not to be searched.
    pub include: &'static [&'static str],
}

/// What an index is on.
#[derive(Clone, Copy, Debug)]
pub enum IndexOn {
    /// Columns of the view table.
    Columns {
        /// `btree`, `brin` or `hash`.
        method: &'static str,
        /// The columns, in their order.
        columns: &'static [OrderBy],
    },
    /// An SQL expression over the columns of the view table.
    Expr(&'static str),
    /// The document, or what is at the end of a path of JSON keys in it.
    Gin(&'static [&'static str]),
    /// The words of texts.
    FullText {
        /// The texts, which are searched as one.
        texts: &'static [SearchText],
        /// The text search configuration, as the text of a `regconfig`.
        language: &'static str,
    },
}

/// A text that is searched.
#[derive(Clone, Copy, Debug)]
pub enum SearchText {
    /// A column of the view table.
    Column(&'static str),
    /// A path of JSON keys in the document.
    Document(&'static [&'static str]),
}

/// How the rows of a view table are kept.
#[derive(Clone, Copy, Debug)]
pub struct Storage {
    /// Without a write-ahead log: faster to write, and empty after a crash of the server.
    pub unlogged: bool,
    /// How full a page is filled by inserts, in percent. The rest is for the next versions of
    /// its rows: an update that finds room there needs no new index entries (HOT).
    pub fillfactor: u8,
    /// How the table is divided, if it is.
    pub partition: Option<Partition>,
}

impl Storage {
    /// What view tables have unless told: logged, 85 percent, in one piece.
    pub const DEFAULT: Self = Self {
        unlogged: false,
        fillfactor: 85,
        partition: None,
    };
}

/// How a view table is divided, by the key of its documents.
#[derive(Clone, Copy, Debug)]
pub enum Partition {
    /// Into so many tables, by the key's hash.
    Hash(u16),
    /// At these keys: one table before the first, one from each on.
    Range(&'static [&'static str]),
}

impl Shape {
    /// The key column, or `id` where no field is the key.
    #[must_use]
    pub fn key_column(&self) -> &'static str {
        self.key.map_or("id", |key| key.column)
    }
}
