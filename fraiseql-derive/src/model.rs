//! The meaning of a struct's attributes: the output of `check` and the input of `emit`.
//!
//! Types have the names of the constant table in `fraiseql_runtime::schema`, which they become.
//! Values are valid. A `Span` is kept where a proof that the compiler evaluates must point.

use proc_macro2::Span;
use syn::{Ident, Member, Path, Type, Visibility};

use crate::identifiers::stored_name;

/// The derive of a struct that is or is in a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeriveKind {
    /// `TView`.
    View,
    /// `Embed`.
    Part,
}

/// A struct with `TView` or `Embed`.
pub(crate) struct Model {
    pub(crate) ident: Ident,
    pub(crate) visibility: Visibility,
    /// The path of `fraiseql_runtime`.
    pub(crate) krate: Path,
    /// The name of the GraphQL type.
    pub(crate) type_name: String,
    pub(crate) docs: Option<String>,
    /// The base table.
    pub(crate) table: Table,
    /// The condition on rows that have a document.
    pub(crate) filter: Option<String>,
    pub(crate) shape_of: Option<ShapeOf>,
    /// The columns of the groups that a part is of.
    pub(crate) group_by: Vec<String>,
    /// Whether to implement `Serialize` and `Deserialize`.
    pub(crate) serde: bool,
    pub(crate) fields: Vec<Field>,
    /// `None` for a part.
    pub(crate) view: Option<View>,
}

/// The struct named in `shape_of`, whose fields a part has some of.
pub(crate) struct ShapeOf {
    pub(crate) path: Path,
    /// The span of `table = ".."` on the same part.
    pub(crate) table: Option<Span>,
    /// The span of `key` on a field of the same part.
    pub(crate) key: Option<Span>,
}

/// The properties of a view that a part does not have.
pub(crate) struct View {
    /// The view table.
    pub(crate) table: Table,
    /// The end of the names of its functions.
    pub(crate) entity: String,
    pub(crate) plural: String,
    /// Whether the type of the documents is json. If not, it is jsonb.
    pub(crate) json_text: bool,
    /// Whether mutations leave its documents to the worker.
    pub(crate) eventual: bool,
    pub(crate) storage: Storage,
    pub(crate) indexes: Vec<Index>,
    pub(crate) parameters: StorageParameters,
}

/// Where the documents of a view are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Storage {
    Table,
    Live,
    Matview {
        /// The seconds between two refreshes by the worker.
        refresh: Option<u64>,
    },
}

/// An index of the view table.
pub(crate) struct Index {
    /// The name that the user wrote.
    pub(crate) name: Option<String>,
    /// The middle of the generated name: `author_id` in `tv_post_author_id_idx`.
    pub(crate) stem: String,
    pub(crate) on: IndexOn,
    pub(crate) unique: bool,
    /// Whether it does not begin with the tenant.
    pub(crate) global: bool,
    pub(crate) filter: Option<String>,
    pub(crate) include: Vec<String>,
}

/// The columns, the expression or the value in the document that an index is on.
pub(crate) enum IndexOn {
    Columns {
        method: &'static str,
        columns: Vec<OrderBy>,
    },
    Expr(String),
    /// `None` is the whole document.
    Gin(Option<JsonPath>),
    FullText {
        texts: Vec<SearchText>,
        /// The text of a `regconfig`.
        language: String,
        /// The name of the search in filters of lists. A partial index has none.
        search: Option<String>,
    },
}

/// A text in a full-text index.
pub(crate) enum SearchText {
    /// A promoted column.
    Column {
        name: String,
        field: String,
        span: Span,
    },
    /// A value in the document.
    Document(JsonPath),
}

/// A path in the document.
#[derive(Clone)]
pub(crate) struct JsonPath {
    /// JSON keys. The first is that of `field`.
    pub(crate) keys: Vec<String>,
    /// The name of the field in Rust.
    pub(crate) field: String,
    pub(crate) span: Span,
}

/// The storage parameters of the view table.
#[derive(Default)]
pub(crate) struct StorageParameters {
    pub(crate) unlogged: bool,
    pub(crate) fillfactor: Option<u8>,
    pub(crate) partition: Option<Partition>,
}

impl StorageParameters {
    /// Whether partitions are made by the tenant.
    pub(crate) fn is_by_tenant(&self) -> bool {
        let by_tenant = |partition: &Partition| {
            matches!(
                partition,
                Partition::Hash {
                    tenant: Some(_),
                    ..
                }
            )
        };
        self.partition.as_ref().is_some_and(by_tenant)
    }
}

/// The partitioning of the view table, by its key, or by a tenant that is a column of it.
pub(crate) enum Partition {
    Hash {
        /// The number of partitions.
        count: u16,
        /// The span of `tenant`.
        tenant: Option<Span>,
    },
    /// The keys at which partitions begin, as text.
    Range { bounds: Vec<String>, span: Span },
}

/// The name of a table.
#[derive(Clone, Default)]
pub(crate) struct Table {
    pub(crate) schema: String,
    pub(crate) name: String,
}

/// A field of a struct.
pub(crate) struct Field {
    pub(crate) ident: Ident,
    pub(crate) visibility: Visibility,
    /// The name without `r#`.
    pub(crate) name: String,
    pub(crate) ty: Type,
    /// The key in the document.
    pub(crate) json: String,
    pub(crate) docs: Option<String>,
    pub(crate) source: Source,
    pub(crate) promoted: Option<Promoted>,
    /// Whether it identifies the row, alone or with others.
    pub(crate) is_key: bool,
    /// Whether it names the owner of the document.
    pub(crate) is_tenant: bool,
    /// Whether it is left out of the document.
    pub(crate) skipped: bool,
}

/// The column of the view table that a field also is.
pub(crate) struct Promoted {
    pub(crate) column: String,
    pub(crate) filter: bool,
    pub(crate) sort: bool,
    /// The span of `unique`.
    pub(crate) unique: Option<Span>,
    /// Whether the column has an index.
    pub(crate) index: bool,
    /// Whether the field is left out of the document.
    pub(crate) hidden: bool,
}

/// The source of a field's value.
pub(crate) enum Source {
    Column(String),
    Expr(String),
    /// The name of the type and the key, as one text.
    GlobalId,
    /// A column of the row of the join table by which the row is in a list.
    Through(String),
    One {
        fk: ColumnsRef,
        key: Option<ColumnsRef>,
    },
    Many(Many),
    /// The first row of a list. Its limit is 1.
    First(Many),
    Values(Values),
    Aggregate(Aggregate),
    /// An aggregate of the rows of a group. Its `table` and `fk` are empty.
    OfGroup(Aggregate),
}

/// Columns named in an attribute, with the span of the names.
#[derive(Clone)]
pub(crate) struct ColumnsRef {
    pub(crate) names: Vec<String>,
    pub(crate) span: Span,
}

impl ColumnsRef {
    /// The column `id`, where an attribute at `span` names no other.
    pub(crate) fn id(span: Span) -> Self {
        Self {
            names: vec!["id".to_owned()],
            span,
        }
    }

    /// No column, where there is none or its attribute is missing.
    pub(crate) fn none() -> Self {
        Self {
            names: Vec::new(),
            span: Span::call_site(),
        }
    }
}

/// `many(..)` or `first(..)`.
pub(crate) struct Many {
    pub(crate) link: Link,
    pub(crate) key: Option<ColumnsRef>,
    pub(crate) order_by: Vec<OrderBy>,
    /// The span of the value of `order_by`.
    pub(crate) order_by_span: Option<Span>,
    pub(crate) limit: Option<u64>,
    pub(crate) filter: Option<String>,
}

/// `values(..)`.
pub(crate) struct Values {
    pub(crate) table: Table,
    pub(crate) link: Link,
    pub(crate) key: Option<ColumnsRef>,
    pub(crate) value: RowValue,
    pub(crate) distinct: bool,
    pub(crate) order_by: Vec<OrderBy>,
    pub(crate) limit: Option<u64>,
    pub(crate) filter: Option<String>,
}

/// A value of a row.
pub(crate) enum RowValue {
    Column(String),
    Expr(String),
}

/// How the rows of a list refer to the row that has the list.
pub(crate) enum Link {
    ForeignKey(ColumnsRef),
    /// Through a join table.
    Through {
        table: Table,
        fk: ColumnsRef,
        to: ColumnsRef,
        key: Option<ColumnsRef>,
        order_by: Vec<OrderBy>,
        /// The span of `through`.
        span: Span,
    },
}

/// A term of `order_by`, or a column of an index.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct OrderBy {
    pub(crate) column: String,
    pub(crate) descending: bool,
    pub(crate) nulls_first: Option<bool>,
}

/// `count(..)`, `sum(..)`, `avg(..)`, `min(..)`, `max(..)` or `exists(..)`.
#[derive(Clone)]
pub(crate) struct Aggregate {
    /// The name of the attribute.
    pub(crate) function: &'static str,
    pub(crate) table: Table,
    pub(crate) fk: ColumnsRef,
    pub(crate) key: Option<ColumnsRef>,
    pub(crate) expr: Option<String>,
    /// Whether equal values count once.
    pub(crate) distinct: bool,
    pub(crate) filter: Option<String>,
    pub(crate) through: Option<Between>,
}

/// The rows between a row and those of its aggregate.
#[derive(Clone)]
pub(crate) struct Between {
    pub(crate) table: Table,
    pub(crate) fk: ColumnsRef,
    pub(crate) key: ColumnsRef,
    pub(crate) filter: Option<String>,
}

impl Model {
    /// The fields in the document, in the order of the struct. Their positions are the indexes
    /// that proofs name fields by.
    pub(crate) fn document_fields(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| !field.skipped)
    }

    /// The field that names the owner of a document.
    pub(crate) fn tenant(&self) -> Option<&Field> {
        self.fields.iter().find(|field| field.is_tenant)
    }

    /// The fields that identify a row, in the order of the struct. None if there is no key.
    pub(crate) fn key(&self) -> Vec<&Field> {
        self.fields.iter().filter(|field| field.is_key).collect()
    }
}

impl Field {
    /// The column of the base table that the value is read from.
    pub(crate) fn source_column(&self) -> Option<&str> {
        match &self.source {
            Source::Column(column) => Some(column),
            _ => None,
        }
    }

    /// The column of the view table that stores the value, if this field is of the key.
    pub(crate) fn stored_key(&self) -> Option<String> {
        self.source_column().map(stored_name)
    }

    /// The column of the view table.
    pub(crate) fn view_column(&self) -> Option<String> {
        match &self.promoted {
            Some(promoted) => Some(promoted.column.clone()),
            None => self.stored_key().filter(|_| self.is_key),
        }
    }

    /// Whether the field is a column of the view table, and not in the document.
    pub(crate) fn is_hidden(&self) -> bool {
        self.promoted
            .as_ref()
            .is_some_and(|promoted| promoted.hidden)
    }

    /// Whether the value is an object or a list of objects.
    pub(crate) fn holds_parts(&self) -> bool {
        matches!(
            self.source,
            Source::One { .. } | Source::Many(_) | Source::First(_)
        )
    }

    /// Whether the value is a list of objects.
    pub(crate) fn holds_list(&self) -> bool {
        matches!(self.source, Source::Many(_))
    }
}

/// A struct with `TScalar`.
pub(crate) struct Newtype {
    pub(crate) ident: Ident,
    pub(crate) krate: Path,
    /// The name or the number of its field.
    pub(crate) member: Member,
    /// The type of its field.
    pub(crate) ty: Type,
    /// The name of the GraphQL type. `None` is that of the field's type.
    pub(crate) type_name: Option<String>,
    pub(crate) serde: bool,
}

/// An enum with `TEnum`.
pub(crate) struct Enumeration {
    pub(crate) ident: Ident,
    pub(crate) krate: Path,
    pub(crate) type_name: String,
    pub(crate) serde: bool,
    pub(crate) variants: Vec<Variant>,
}

/// An enum with `TUnion`.
pub(crate) struct Union {
    pub(crate) ident: Ident,
    pub(crate) visibility: Visibility,
    pub(crate) krate: Path,
    pub(crate) type_name: String,
    /// The span of `type_name`, or of the name of the enum.
    pub(crate) type_name_span: Span,
    pub(crate) docs: Option<String>,
    pub(crate) members: Vec<UnionMember>,
    pub(crate) interface: Option<Interface>,
}

/// A variant of a union.
pub(crate) struct UnionMember {
    pub(crate) variant: Ident,
    /// The type that it holds.
    pub(crate) ty: Type,
    /// The struct, which may be in a `Box`.
    pub(crate) document: Type,
}

/// The fields of an interface.
pub(crate) enum Interface {
    /// All that the members have in common. The span is that of `interface`.
    Common(Span),
    /// Those with these keys. The span is that of the text.
    Fields(Vec<String>, Span),
}

/// A variant of an enum.
pub(crate) struct Variant {
    pub(crate) ident: Ident,
    /// The name in JSON and GraphQL.
    pub(crate) json: String,
    /// The accepted labels in the database. The first is the one to write.
    pub(crate) labels: Vec<String>,
}
