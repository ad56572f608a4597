//! What the attributes of a struct mean, after everything was checked.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::{Ident, Path, Type, Visibility};

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
    pub(crate) unique: bool,
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
