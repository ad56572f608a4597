//! What can be written in `#[tview(..)]`, as darling reads it. Nothing is judged here.

use darling::{Error, FromMeta, Result};
use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, Lit, LitInt, LitStr, Meta, Path};

/// A string, and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Text(pub(crate) LitStr);

impl Text {
    pub(crate) fn value(&self) -> String {
        self.0.value()
    }

    pub(crate) fn span(&self) -> Span {
        self.0.span()
    }
}

impl FromMeta for Text {
    fn from_meta(item: &Meta) -> Result<Self> {
        if let Meta::NameValue(pair) = item
            && let Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) = &pair.value
        {
            return Ok(Self(text.clone()));
        }
        let name = name_of(item);
        Err(Error::custom(format!("`{name}` takes a string: `{name} = \"..\"`")).with_span(item))
    }
}

/// A whole number, and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Number(pub(crate) LitInt);

impl FromMeta for Number {
    fn from_meta(item: &Meta) -> Result<Self> {
        if let Meta::NameValue(pair) = item
            && let Expr::Lit(ExprLit {
                lit: Lit::Int(number),
                ..
            }) = &pair.value
        {
            return Ok(Self(number.clone()));
        }
        let name = name_of(item);
        Err(Error::custom(format!("`{name}` takes a whole number: `{name} = 50`")).with_span(item))
    }
}

/// A word that is there or not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark(pub(crate) Span);

impl FromMeta for Mark {
    fn from_meta(item: &Meta) -> Result<Self> {
        match item {
            Meta::Path(path) => Ok(Self(path.span())),
            _ => {
                let name = name_of(item);
                Err(Error::custom(format!(
                    "`{name}` on a field takes no value: write `{name}` alone"
                ))
                .with_span(item))
            }
        }
    }
}

/// Arguments in parentheses, and where their name stands.
#[derive(Clone, Debug)]
pub(crate) struct Call<T> {
    pub(crate) span: Span,
    pub(crate) args: T,
}

/// Arguments that can say how they are written.
pub(crate) trait Example {
    const EXAMPLE: &'static str;
}

impl<T: FromMeta + Example> FromMeta for Call<T> {
    fn from_meta(item: &Meta) -> Result<Self> {
        let Meta::List(list) = item else {
            let name = name_of(item);
            return Err(Error::custom(format!(
                "`{name}` takes arguments: `{name}({})`",
                T::EXAMPLE
            ))
            .with_span(item));
        };
        Ok(Self {
            span: list.path.span(),
            args: T::from_meta(item)?,
        })
    }
}

fn name_of(item: &Meta) -> String {
    item.path()
        .get_ident()
        .map_or_else(String::new, ToString::to_string)
}

/// On the struct of a view.
#[derive(Debug, Default, FromMeta)]
#[darling(default)]
pub(crate) struct ViewAttr {
    pub(crate) table: Option<Text>,
    pub(crate) view: Option<Text>,
    pub(crate) entity: Option<Text>,
    pub(crate) plural: Option<Text>,
    pub(crate) type_name: Option<Text>,
    pub(crate) data: Option<Text>,
    pub(crate) filter: Option<Text>,
    pub(crate) serde: Option<bool>,
    #[darling(rename = "crate")]
    pub(crate) krate: Option<Path>,
}

/// On the struct of a part.
#[derive(Debug, Default, FromMeta)]
#[darling(default)]
pub(crate) struct PartAttr {
    pub(crate) table: Option<Text>,
    pub(crate) type_name: Option<Text>,
    pub(crate) filter: Option<Text>,
    pub(crate) serde: Option<bool>,
    #[darling(rename = "crate")]
    pub(crate) krate: Option<Path>,
}

impl From<PartAttr> for ViewAttr {
    fn from(part: PartAttr) -> Self {
        Self {
            table: part.table,
            type_name: part.type_name,
            filter: part.filter,
            serde: part.serde,
            krate: part.krate,
            ..Self::default()
        }
    }
}

/// On a field.
#[derive(Debug, Default, FromMeta)]
#[darling(default)]
pub(crate) struct FieldAttr {
    pub(crate) key: Option<Mark>,
    pub(crate) column: Option<Text>,
    pub(crate) json: Option<Text>,
    pub(crate) skip: Option<Mark>,
    pub(crate) filter: Option<Mark>,
    pub(crate) sort: Option<Mark>,
    pub(crate) unique: Option<Mark>,
    pub(crate) expr: Option<Text>,
    pub(crate) one: Option<Call<OneAttr>>,
    pub(crate) many: Option<Call<ManyAttr>>,
    pub(crate) count: Option<Call<AggregateAttr>>,
    pub(crate) sum: Option<Call<AggregateAttr>>,
    pub(crate) avg: Option<Call<AggregateAttr>>,
    pub(crate) min: Option<Call<AggregateAttr>>,
    pub(crate) max: Option<Call<AggregateAttr>>,
    pub(crate) exists: Option<Call<AggregateAttr>>,
}

/// `one(..)`.
#[derive(Clone, Debug, Default, FromMeta)]
#[darling(default)]
pub(crate) struct OneAttr {
    pub(crate) fk: Option<Text>,
    pub(crate) key: Option<Text>,
}

impl Example for OneAttr {
    const EXAMPLE: &'static str = "fk = \"author_id\"";
}

/// `many(..)`.
#[derive(Clone, Debug, Default, FromMeta)]
#[darling(default)]
pub(crate) struct ManyAttr {
    pub(crate) fk: Option<Text>,
    pub(crate) key: Option<Text>,
    pub(crate) order_by: Option<Text>,
    pub(crate) limit: Option<Number>,
    pub(crate) filter: Option<Text>,
    pub(crate) through: Option<Call<ThroughAttr>>,
}

impl Example for ManyAttr {
    const EXAMPLE: &'static str = "fk = \"post_id\"";
}

/// `through(..)`.
#[derive(Clone, Debug, Default, FromMeta)]
#[darling(default)]
pub(crate) struct ThroughAttr {
    pub(crate) table: Option<Text>,
    pub(crate) fk: Option<Text>,
    pub(crate) to: Option<Text>,
}

impl Example for ThroughAttr {
    const EXAMPLE: &'static str = "table = \"tb_post_tag\", fk = \"post_id\", to = \"tag_id\"";
}

/// `count(..)` and its like.
#[derive(Clone, Debug, Default, FromMeta)]
#[darling(default)]
pub(crate) struct AggregateAttr {
    pub(crate) table: Option<Text>,
    pub(crate) fk: Option<Text>,
    pub(crate) key: Option<Text>,
    pub(crate) expr: Option<Text>,
    pub(crate) filter: Option<Text>,
}

impl Example for AggregateAttr {
    const EXAMPLE: &'static str = "table = \"tb_comment\", fk = \"post_id\"";
}
