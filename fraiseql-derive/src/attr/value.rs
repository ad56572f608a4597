//! What can stand behind a name in `#[tview(..)]`, with its place.

use darling::ast::NestedMeta;
use darling::{Error, FromMeta, Result};
use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, Lit, LitInt, LitStr, Meta, Path};

use super::receive::{Arguments, receive};

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
            }) = ungrouped(&pair.value)
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
            }) = ungrouped(&pair.value)
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

/// A word on a struct or among arguments, that is there or not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Word(pub(crate) Span);

impl FromMeta for Word {
    fn from_meta(item: &Meta) -> Result<Self> {
        if let Meta::Path(path) = item {
            return Ok(Self(path.span()));
        }
        let name = name_of(item);
        Err(Error::custom(format!("`{name}` takes no value: write `{name}` alone")).with_span(item))
    }
}

/// A word alone, for the whole document, or with the path of a part of it.
#[derive(Clone, Debug)]
pub(crate) enum WholeOrPath {
    Whole(Span),
    Path(Text),
}

impl FromMeta for WholeOrPath {
    fn from_meta(item: &Meta) -> Result<Self> {
        if let Meta::Path(path) = item {
            return Ok(Self::Whole(path.span()));
        }
        Text::from_meta(item).map(Self::Path).map_err(|_| {
            let name = name_of(item);
            Error::custom(format!(
                "`{name}` stands alone, for the whole document, or takes a path in it: \
                 `{name} = \"author.tags\"`"
            ))
            .with_span(item)
        })
    }
}

/// `true` or `false`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Switch(pub(crate) bool);

impl FromMeta for Switch {
    fn from_meta(item: &Meta) -> Result<Self> {
        if let Meta::NameValue(pair) = item
            && let Expr::Lit(ExprLit {
                lit: Lit::Bool(value),
                ..
            }) = ungrouped(&pair.value)
        {
            return Ok(Self(value.value));
        }
        let name = name_of(item);
        Err(
            Error::custom(format!("`{name}` takes true or false: `{name} = false`"))
                .with_span(item),
        )
    }
}

/// The path of a crate.
#[derive(Clone, Debug)]
pub(crate) struct Root(pub(crate) Path);

impl FromMeta for Root {
    fn from_meta(item: &Meta) -> Result<Self> {
        if let Meta::NameValue(pair) = item
            && let Expr::Path(path) = ungrouped(&pair.value)
        {
            return Ok(Self(path.path.clone()));
        }
        let name = name_of(item);
        Err(Error::custom(format!(
            "`{name}` takes a path: `{name} = ::fraiseql_runtime`"
        ))
        .with_span(item))
    }
}

/// The path of a struct.
#[derive(Clone, Debug)]
pub(crate) struct Struct(pub(crate) Path);

impl FromMeta for Struct {
    fn from_meta(item: &Meta) -> Result<Self> {
        if let Meta::NameValue(pair) = item
            && let Expr::Path(path) = &pair.value
            && path.qself.is_none()
        {
            return Ok(Self(path.path.clone()));
        }
        let name = name_of(item);
        Err(Error::custom(format!("`{name}` takes a struct: `{name} = User`")).with_span(item))
    }
}

/// Arguments in parentheses, and where their name stands.
#[derive(Clone, Debug)]
pub(crate) struct Call<T> {
    pub(crate) span: Span,
    pub(crate) args: T,
}

impl<T: Arguments> FromMeta for Call<T> {
    fn from_meta(item: &Meta) -> Result<Self> {
        let Meta::List(list) = item else {
            let name = name_of(item);
            return Err(Error::custom(format!(
                "`{name}` takes arguments: `{name}({})`",
                T::example(&name)
            ))
            .with_span(item));
        };
        let items = NestedMeta::parse_meta_list(list.tokens.clone())?;
        let mut errors = Error::accumulator();
        let args = receive(items, &mut errors);
        errors.finish_with(Self {
            span: list.path.span(),
            args,
        })
    }
}

/// An expression without the invisible group that it stands in where a macro put it there.
fn ungrouped(expr: &Expr) -> &Expr {
    match expr {
        Expr::Group(group) => ungrouped(&group.expr),
        expr => expr,
    }
}

fn name_of(item: &Meta) -> String {
    item.path()
        .get_ident()
        .map_or_else(String::new, ToString::to_string)
}
