//! The meaning of a struct's attributes: the output of `check` and the input of `emit`.
//!
//! Types have the names of the constant table in `fraiseql_runtime::schema`, which they become.
//! Values are valid. A `Span` is kept where a proof that the compiler evaluates must point.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
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
    pub(crate) indexes: Vec<Index>,
    pub(crate) storage: Storage,
}

/// An index of the view table.
pub(crate) struct Index {
    /// The name that the user wrote.
    pub(crate) name: Option<String>,
    /// The middle of the generated name: `author_id` in `tv_post_author_id_idx`.
    pub(crate) stem: String,
    pub(crate) on: IndexOn,
    pub(crate) unique: bool,
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
pub(crate) struct Storage {
    pub(crate) unlogged: bool,
    pub(crate) fillfactor: Option<u8>,
    pub(crate) partition: Option<Partition>,
}

/// The partitioning of the view table, by its key.
pub(crate) enum Partition {
    /// The number of partitions.
    Hash(u16),
    /// The keys at which partitions begin, as text.
    Range { bounds: Vec<String>, span: Span },
}

/// The name of a table.
#[derive(Default)]
pub(crate) struct Table {
    pub(crate) schema: String,
    pub(crate) name: String,
}

/// A field of a struct.
pub(crate) struct Field {
    pub(crate) ident: Ident,
    /// The name without `r#`.
    pub(crate) name: String,
    pub(crate) ty: Type,
    /// The key in the document.
    pub(crate) json: String,
    pub(crate) docs: Option<String>,
    pub(crate) source: Source,
    pub(crate) promoted: Option<Promoted>,
    /// Whether it identifies the row.
    pub(crate) is_key: bool,
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
}

/// The source of a field's value.
pub(crate) enum Source {
    Column(String),
    Expr(String),
    One {
        fk: ColumnRef,
        key: Option<ColumnRef>,
    },
    Many(Many),
    Aggregate(Aggregate),
}

/// A column named in an attribute, with the span of the name.
pub(crate) struct ColumnRef {
    pub(crate) name: String,
    pub(crate) span: Span,
}

impl ToTokens for ColumnRef {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.name.to_tokens(tokens);
    }
}

/// `many(..)`.
pub(crate) struct Many {
    pub(crate) link: Link,
    pub(crate) key: Option<ColumnRef>,
    pub(crate) order_by: Vec<OrderBy>,
    /// The span of the value of `order_by`.
    pub(crate) order_by_span: Option<Span>,
    pub(crate) limit: Option<u64>,
    pub(crate) filter: Option<String>,
}

/// How the rows of a list refer to the row that has the list.
pub(crate) enum Link {
    ForeignKey(ColumnRef),
    /// Through a join table.
    Through {
        table: Table,
        fk: String,
        to: String,
        key: Option<ColumnRef>,
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
pub(crate) struct Aggregate {
    /// The name of the attribute.
    pub(crate) function: &'static str,
    pub(crate) table: Table,
    pub(crate) fk: String,
    pub(crate) key: Option<ColumnRef>,
    pub(crate) expr: Option<String>,
    pub(crate) filter: Option<String>,
}

impl Model {
    /// The fields in the document, in the order of the struct. Their positions are the indexes
    /// that proofs name fields by.
    pub(crate) fn document_fields(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| !field.skipped)
    }

    /// The field that identifies a row.
    pub(crate) fn key(&self) -> Option<&Field> {
        self.fields.iter().find(|field| field.is_key)
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

    /// The column of the view table that stores the value, if this field is the key.
    pub(crate) fn stored_key(&self) -> Option<String> {
        self.source_column().map(stored_name)
    }

    /// Whether the value is an object or a list of objects.
    pub(crate) fn holds_parts(&self) -> bool {
        matches!(self.source, Source::One { .. } | Source::Many(_))
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

/// A variant of an enum.
pub(crate) struct Variant {
    pub(crate) ident: Ident,
    /// The name in JSON and GraphQL.
    pub(crate) json: String,
    /// The accepted labels in the database. The first is the one to write.
    pub(crate) labels: Vec<String>,
}
