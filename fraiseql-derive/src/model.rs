//! What the attributes of a struct mean, after everything was checked.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::{Ident, Member, Path, Type, Visibility};

/// Which derive it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    View,
    Part,
}

/// A struct.
pub(crate) struct Model {
    pub(crate) ident: Ident,
    pub(crate) visibility: Visibility,
    pub(crate) krate: Path,
    pub(crate) type_name: String,
    pub(crate) docs: Option<String>,
    pub(crate) table: Table,
    pub(crate) filter: Option<String>,
    pub(crate) shape_of: Option<ShapeOf>,
    pub(crate) serde: bool,
    pub(crate) fields: Vec<Field>,
    pub(crate) view: Option<View>,
}

/// The struct that a part is some fields of.
pub(crate) struct ShapeOf {
    pub(crate) path: Path,
    /// Where `table` is written beside it.
    pub(crate) table: Option<Span>,
    /// Where a field is marked `key`.
    pub(crate) key: Option<Span>,
}

/// What only a view has.
pub(crate) struct View {
    pub(crate) table: Table,
    pub(crate) entity: String,
    pub(crate) plural: String,
    pub(crate) json_text: bool,
    pub(crate) indexes: Vec<Index>,
    pub(crate) storage: Storage,
}

/// An index of the view table.
pub(crate) struct Index {
    /// The name that was given.
    pub(crate) name: Option<String>,
    /// What its name is made of, where none was given.
    pub(crate) stem: String,
    pub(crate) on: IndexOn,
    pub(crate) unique: bool,
    pub(crate) filter: Option<String>,
    pub(crate) include: Vec<String>,
}

pub(crate) enum IndexOn {
    Columns {
        method: &'static str,
        columns: Vec<OrderBy>,
    },
    Expr(String),
    /// No path is the whole document.
    Gin(Option<JsonPath>),
    FullText {
        texts: Vec<SearchText>,
        language: String,
    },
}

/// A text that is searched.
pub(crate) enum SearchText {
    Column {
        name: String,
        field: String,
        span: Span,
    },
    Document(JsonPath),
}

/// A path in the document, of JSON keys; the first is that of the field.
#[derive(Clone)]
pub(crate) struct JsonPath {
    pub(crate) keys: Vec<String>,
    pub(crate) field: String,
    pub(crate) span: Span,
}

/// How the rows of the view table are kept.
#[derive(Default)]
pub(crate) struct Storage {
    pub(crate) unlogged: bool,
    pub(crate) fillfactor: Option<u8>,
    pub(crate) partition: Option<Partition>,
}

pub(crate) enum Partition {
    Hash(u16),
    Range { bounds: Vec<String>, span: Span },
}

#[derive(Default)]
pub(crate) struct Table {
    pub(crate) schema: String,
    pub(crate) name: String,
}

/// A field.
pub(crate) struct Field {
    pub(crate) ident: Ident,
    /// Without `r#`.
    pub(crate) name: String,
    pub(crate) ty: Type,
    pub(crate) json: String,
    pub(crate) docs: Option<String>,
    pub(crate) source: Source,
    pub(crate) promoted: Option<Promoted>,
    pub(crate) is_key: bool,
    /// Not in the document.
    pub(crate) skipped: bool,
}

pub(crate) struct Promoted {
    pub(crate) column: String,
    pub(crate) filter: bool,
    pub(crate) sort: bool,
    /// Where it was said to be unique, if it was.
    pub(crate) unique: Option<Span>,
}

pub(crate) enum Source {
    Column(String),
    Expr(String),
    One { fk: Column, key: Option<Column> },
    Many(Many),
    Aggregate(Aggregate),
}

/// A column that an attribute names, and where it does.
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) span: Span,
}

impl ToTokens for Column {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.name.to_tokens(tokens);
    }
}

pub(crate) struct Many {
    pub(crate) link: Link,
    pub(crate) key: Option<Column>,
    pub(crate) order_by: Vec<OrderBy>,
    /// Where the order is written.
    pub(crate) order_by_span: Option<Span>,
    pub(crate) limit: Option<u64>,
    pub(crate) filter: Option<String>,
}

pub(crate) enum Link {
    ForeignKey(Column),
    Through {
        table: Table,
        fk: String,
        to: String,
        key: Option<Column>,
    },
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct OrderBy {
    pub(crate) column: String,
    pub(crate) descending: bool,
    pub(crate) nulls_first: Option<bool>,
}

pub(crate) struct Aggregate {
    pub(crate) function: &'static str,
    pub(crate) table: Table,
    pub(crate) fk: String,
    pub(crate) key: Option<Column>,
    pub(crate) expr: Option<String>,
    pub(crate) filter: Option<String>,
}

impl Model {
    /// The fields that are in the document.
    pub(crate) fn document(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| !field.skipped)
    }

    pub(crate) fn key(&self) -> Option<&Field> {
        self.fields.iter().find(|field| field.is_key)
    }
}

impl Field {
    /// The column of the base table, if the value comes from one.
    pub(crate) fn source_column(&self) -> Option<&str> {
        match &self.source {
            Source::Column(column) => Some(column),
            _ => None,
        }
    }

    pub(crate) fn holds_parts(&self) -> bool {
        matches!(self.source, Source::One { .. } | Source::Many(_))
    }

    pub(crate) fn holds_list(&self) -> bool {
        matches!(self.source, Source::Many(_))
    }
}

/// A struct with one field, which stands for its value.
pub(crate) struct Newtype {
    pub(crate) ident: Ident,
    pub(crate) krate: Path,
    pub(crate) member: Member,
    pub(crate) ty: Type,
    /// The name in GraphQL, if it has one of its own.
    pub(crate) type_name: Option<String>,
    pub(crate) serde: bool,
}

/// An enum of names.
pub(crate) struct Enumeration {
    pub(crate) ident: Ident,
    pub(crate) krate: Path,
    pub(crate) type_name: String,
    pub(crate) serde: bool,
    pub(crate) variants: Vec<Variant>,
}

pub(crate) struct Variant {
    pub(crate) ident: Ident,
    pub(crate) json: String,
    /// What it is called in the database; the first is what to write there.
    pub(crate) labels: Vec<String>,
}
