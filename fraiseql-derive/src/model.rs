//! What the attributes of a struct mean, after everything was checked.

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
    pub(crate) table: Table,
    pub(crate) filter: Option<String>,
    pub(crate) serde: bool,
    pub(crate) fields: Vec<Field>,
    pub(crate) view: Option<View>,
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
    One { fk: String, key: Option<String> },
    Many(Many),
    Aggregate(Aggregate),
}

pub(crate) struct Many {
    pub(crate) link: Link,
    pub(crate) key: Option<String>,
    pub(crate) order_by: Vec<OrderBy>,
    pub(crate) limit: Option<u64>,
    pub(crate) filter: Option<String>,
}

pub(crate) enum Link {
    ForeignKey(String),
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
    pub(crate) key: Option<String>,
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
