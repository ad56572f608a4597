//! The constant tables that the derives emit. SQL, DDL, JSON keys, checks and GraphQL types are all
//! read from them.

use std::time::Duration;

use crate::schema::bookkeeping;
use crate::schema::columns::{Columns, Key};
use crate::schema::part_shape::PartShape;
use crate::schema::scalar::{ElementNull, ScalarType};

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
/// assert_eq!(one.fk.to_string(), "author_id");
/// let author = one.shape.get();
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
    /// The key, if fields are the key.
    pub key: Option<Key>,
    /// The columns of groups of rows: if there are any, an object is not a row but a group of rows that
    /// are equal in these columns.
    pub group_by: &'static [&'static str],
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

/// The column that names the owner of a document: `tenant` in the attribute.
#[derive(Clone, Copy, Debug)]
pub struct Tenant {
    /// The column of the view table.
    pub column: &'static str,
    /// The column of the base table.
    pub source: &'static str,
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

impl Field {
    /// Whether the field is a column of the view table only, and not in the document.
    #[must_use]
    pub const fn is_hidden(&self) -> bool {
        matches!(self.promoted, Some(Promoted { hidden: true, .. }))
    }
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
    /// Whether its values are unique, among the documents of one tenant if the view has a tenant.
    pub unique: bool,
    /// Whether the column has an index.
    pub index: bool,
    /// Whether the field is the column only, and not in the document.
    pub hidden: bool,
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
    /// The [`GlobalId`](crate::GlobalId): the name of the type and the key of the row, as one text.
    GlobalId {
        /// The type of the field.
        ty: ScalarType,
    },
    /// A column of the row of the join table by which the row is in a list.
    Through {
        /// The name of the column.
        column: &'static str,
        /// The type of the field.
        ty: ScalarType,
    },
    /// The row that a foreign key refers to.
    One(One),
    /// The rows that refer to this row.
    Many(Many),
    /// The first of the rows that refer to this row; null without rows. Its limit is 1.
    First(Many),
    /// One value of each of the rows that refer to this row.
    Values(Values),
    /// A value computed from the rows that refer to this row.
    Aggregate(Aggregate),
    /// A value computed from the rows of a group. It has no foreign key.
    OfGroup(Aggregate),
}

impl Source {
    /// The type of a value that is neither an object nor a list of objects.
    #[must_use]
    pub const fn scalar(&self) -> Option<&ScalarType> {
        match self {
            Self::Column { ty, .. }
            | Self::Expr { ty, .. }
            | Self::GlobalId { ty }
            | Self::Through { ty, .. } => Some(ty),
            Self::Aggregate(aggregate) | Self::OfGroup(aggregate) => Some(&aggregate.ty),
            Self::Values(values) => Some(&values.ty),
            Self::One(_) | Self::Many(_) | Self::First(_) => None,
        }
    }

    /// The shape of the objects in the field.
    #[must_use]
    pub fn part(&self) -> Option<&'static Shape> {
        match self {
            Self::One(one) => Some(one.shape.get()),
            Self::Many(many) | Self::First(many) => Some(many.shape.get()),
            _ => None,
        }
    }

    /// Whether the value is a list of objects.
    #[must_use]
    pub const fn is_list_of_parts(&self) -> bool {
        matches!(self, Self::Many(_))
    }
}

/// The row that a foreign key refers to.
#[derive(Debug)]
pub struct One {
    /// The foreign key: columns of this row.
    pub fk: Columns,
    /// The referenced columns of the part, if they are not its key.
    pub key: Option<Columns>,
    /// Whether the field is an `Option`.
    pub nullable: bool,
    /// The shape of the part.
    pub shape: PartShape,
}

/// The rows that refer to this row.
#[derive(Debug)]
pub struct Many {
    /// How the rows refer to this row.
    pub link: Link,
    /// The referenced columns of this row, if they are not its key.
    pub key: Option<Columns>,
    /// The order of the rows. The key of the part is appended, so that it is total.
    pub order_by: &'static [OrderBy],
    /// The maximum number of rows.
    pub limit: Option<u64>,
    /// The condition that the rows must match, as SQL.
    pub filter: Option<&'static str>,
    /// The shape of the part.
    pub shape: PartShape,
}

/// One value of each of the rows that refer to this row.
#[derive(Clone, Copy, Debug)]
pub struct Values {
    /// The table of the rows.
    pub table: Table,
    /// How the rows refer to this row. A join table refers to their column `id` by default.
    pub link: Link,
    /// The referenced columns of this row, if they are not its key.
    pub key: Option<Columns>,
    /// The value.
    pub value: RowValue,
    /// Whether equal values are one.
    pub distinct: bool,
    /// The order of the rows. The value is appended.
    pub order_by: &'static [OrderBy],
    /// The maximum number of values.
    pub limit: Option<u64>,
    /// The condition that the rows must match, as SQL.
    pub filter: Option<&'static str>,
    /// The type of the field.
    pub ty: ScalarType,
}

impl Values {
    /// The type of one value.
    #[must_use]
    pub fn element(&self) -> ScalarType {
        ScalarType {
            list: None,
            nullable: self.ty.list == Some(ElementNull::Yes),
            ..self.ty
        }
    }
}

/// A value of a row.
#[derive(Clone, Copy, Debug)]
pub enum RowValue {
    /// That of a column.
    Column(&'static str),
    /// That of an SQL expression over the row, whose alias is written `{}`.
    Expr(&'static str),
}

/// How the rows of a list refer to their parent row.
#[derive(Clone, Copy, Debug)]
pub enum Link {
    /// By a foreign key: columns of the rows.
    ForeignKey(Columns),
    /// By the rows of a join table.
    Through {
        /// The join table.
        table: Table,
        /// Its columns that reference the parent row.
        fk: Columns,
        /// Its columns that reference the row of the list.
        to: Columns,
        /// The columns that `to` references, if they are not the key of the part.
        key: Option<Columns>,
        /// The order of its rows, which comes before that of the list.
        order_by: &'static [OrderBy],
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
    /// The foreign key: columns of those rows.
    pub fk: Columns,
    /// The rows that the foreign key refers to, if it does not refer to this row.
    pub through: Option<Between>,
    /// The referenced columns of this row, if they are not its key.
    pub key: Option<Columns>,
    /// The aggregated expression, as SQL over a row, whose alias is written `{}`.
    pub expr: Option<&'static str>,
    /// Whether equal values of the expression count once.
    pub distinct: bool,
    /// The condition that rows must match, as SQL.
    pub filter: Option<&'static str>,
    /// The type of the field.
    pub ty: ScalarType,
}

/// The rows between a row and those that an aggregate of it is computed from.
#[derive(Clone, Copy, Debug)]
pub struct Between {
    /// Their table.
    pub table: Table,
    /// Their columns that refer to the row of the aggregate.
    pub fk: Columns,
    /// Their columns that the aggregated rows refer to.
    pub key: Columns,
    /// The condition that they must match, as SQL.
    pub filter: Option<&'static str>,
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
    /// The view table or the materialized view. With [`Storage::Live`] nothing has this name.
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
    /// The owner of each document, if the view has a tenant.
    pub tenant: Option<Tenant>,
    /// Where documents are.
    pub storage: Storage,
    /// The indexes of `index(..)`. Promoted columns have others.
    pub indexes: &'static [Index],
    /// The storage parameters of the view table.
    pub parameters: StorageParameters,
}

impl View {
    /// Whether documents are in a view table, which syncs write.
    pub(crate) fn is_synced(&self) -> bool {
        self.storage == Storage::Table
    }

    /// The relation that documents are read from, for messages.
    pub(crate) fn relation(&self) -> Table {
        match self.storage {
            Storage::Live => self.shape.table,
            Storage::Table | Storage::Matview { .. } => self.table,
        }
    }

    /// The columns of the view table that its partitions are made by, if it is partitioned.
    pub(crate) fn partition_columns(&self) -> Vec<&'static str> {
        match (self.parameters.partition, self.tenant) {
            (Some(Partition::HashOfTenant(_)), Some(tenant)) => vec![tenant.column],
            _ => self.key_columns(),
        }
    }

    /// The columns of the key in the view table. They have the names of the columns in the base table,
    /// with the prefix `doc_` where every view table has another column of that name.
    #[must_use]
    pub fn key_columns(&self) -> Vec<&'static str> {
        let names = self.key.columns.names().iter();
        names.map(|name| bookkeeping::stored_name(name)).collect()
    }
}

/// Where the documents of a view are: `storage` in the attribute.
///
/// The documents are the same, byte for byte, and so are all calls that read them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// In a view table, which is synced: a read is one lookup.
    Table,
    /// Nowhere: a read builds them from the base tables. Nothing is migrated or synced.
    Live,
    /// In a materialized view: as old as its last refresh.
    Matview {
        /// How often a worker refreshes it.
        refresh: Option<Duration>,
    },
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
    /// Whether it is over the documents of all tenants: it does not begin with the tenant.
    pub global: bool,
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
        /// The name of the search that it serves, in filters of lists. A partial index serves none.
        search: Option<&'static str>,
    },
}

/// A text in a full-text index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchText {
    /// A column of the view table.
    Column(&'static str),
    /// The value at a path of JSON keys in the document.
    Document(&'static [&'static str]),
}

/// The storage parameters of a view table.
#[derive(Clone, Copy, Debug)]
pub struct StorageParameters {
    /// Whether the table is not logged (WAL): faster to write, and empty after a crash of the server.
    pub unlogged: bool,
    /// How far inserts fill a page, in percent. The rest is for new versions of its rows: an update
    /// that fits into the same page needs no new index entries (HOT).
    pub fillfactor: u8,
    /// The partitioning, if the table is partitioned.
    pub partition: Option<Partition>,
}

impl StorageParameters {
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
    /// By the hash of the tenant, which is a column of the key, into this number of partitions: all documents
    /// of a tenant are in one of them.
    HashOfTenant(u16),
    /// By ranges of keys with these bounds: one partition before the first bound, and one from each
    /// bound on.
    Range(&'static [&'static str]),
}

impl Shape {
    /// The fields of documents: all but the hidden ones.
    pub fn shown_fields(&self) -> impl Iterator<Item = &'static Field> + Clone + use<> {
        self.fields.iter().filter(|field| !field.is_hidden())
    }

    /// Whether a field is a column of the view table only.
    pub(crate) fn has_hidden(&self) -> bool {
        self.fields.iter().any(Field::is_hidden)
    }

    /// The field that is the aggregate of a group, by its name in Rust, and its place.
    pub(crate) fn group_aggregate(&self, name: &str) -> Option<usize> {
        self.fields
            .iter()
            .position(|field| field.name == name && matches!(field.source, Source::OfGroup(_)))
    }

    /// The type of the field that is a column of a group.
    pub(crate) fn group_column(&self, name: &str) -> Option<&ScalarType> {
        self.fields.iter().find_map(|field| match &field.source {
            Source::Column { column, ty } if *column == name => Some(ty),
            _ => None,
        })
    }

    /// The columns of a join table that fields are read from.
    pub(crate) fn through_columns(&self) -> impl Iterator<Item = (&'static str, &ScalarType)> {
        self.fields.iter().filter_map(|field| match &field.source {
            Source::Through { column, ty } => Some((*column, ty)),
            _ => None,
        })
    }

    /// The columns of the key, or `id` if no field is the key.
    #[must_use]
    pub fn key_columns(&self) -> Columns {
        self.key.map_or(Columns::ID, |key| key.columns)
    }
}
