//! Values of attributes, with their spans.

use darling::ast::NestedMeta;
use darling::{Error, FromMeta, Result};
use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, Lit, LitInt, LitStr, Meta, Path};

use super::receive::{NestedReceiver, receive};

/// `name = "..."`.
#[derive(Clone, Debug)]
pub(crate) struct StrValue(pub(crate) LitStr);

impl StrValue {
    pub(crate) fn value(&self) -> String {
        self.0.value()
    }

    pub(crate) fn span(&self) -> Span {
        self.0.span()
    }
}

impl FromMeta for StrValue {
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

/// `name = 50`.
#[derive(Clone, Debug)]
pub(crate) struct IntValue(pub(crate) LitInt);

impl FromMeta for IntValue {
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

/// `name = true` or `name = false`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BoolValue(pub(crate) bool);

impl FromMeta for BoolValue {
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

/// `name` on a field.
///
/// Its own type for the sake of the message: `filter` and others are flags on a field, and take a
/// value elsewhere.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FieldFlag(pub(crate) Span);

impl FromMeta for FieldFlag {
    fn from_meta(item: &Meta) -> Result<Self> {
        if let Meta::Path(path) = item {
            return Ok(Self(path.span()));
        }
        let name = name_of(item);
        Err(Error::custom(format!(
            "`{name}` on a field takes no value: write `{name}` alone"
        ))
        .with_span(item))
    }
}

/// `index = false` on a field, with the span of `index`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoIndex(pub(crate) Span);

impl FromMeta for NoIndex {
    fn from_meta(item: &Meta) -> Result<Self> {
        let message = match item {
            Meta::NameValue(pair) => match ungrouped(&pair.value) {
                Expr::Lit(ExprLit {
                    lit: Lit::Bool(value),
                    ..
                }) if !value.value => return Ok(Self(pair.path.span())),
                Expr::Lit(ExprLit {
                    lit: Lit::Bool(_), ..
                }) => {
                    "`index = true` has no effect, because a promoted column has an index by \
                       default: remove it"
                }
                _ => "`index` on a field takes false: `index = false` promotes without an index",
            },
            _ => {
                "`index(..)` belongs on the struct; on a field, `index = false` promotes without \
                  an index"
            }
        };
        Err(Error::custom(message).with_span(item))
    }
}

/// `name` on a struct or in parentheses.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flag(pub(crate) Span);

impl FromMeta for Flag {
    fn from_meta(item: &Meta) -> Result<Self> {
        if let Meta::Path(path) = item {
            return Ok(Self(path.span()));
        }
        let name = name_of(item);
        Err(Error::custom(format!("`{name}` takes no value: write `{name}` alone")).with_span(item))
    }
}

/// `gin` for the whole document, or `gin = "author.tags"` for the value at a path.
#[derive(Clone, Debug)]
pub(crate) enum FlagOrPath {
    Flag(Span),
    Path(StrValue),
}

impl FlagOrPath {
    pub(crate) fn span(&self) -> Span {
        match self {
            Self::Flag(span) => *span,
            Self::Path(path) => path.span(),
        }
    }
}

impl FromMeta for FlagOrPath {
    fn from_meta(item: &Meta) -> Result<Self> {
        if let Meta::Path(path) = item {
            return Ok(Self::Flag(path.span()));
        }
        StrValue::from_meta(item).map(Self::Path).map_err(|_| {
            let name = name_of(item);
            Error::custom(format!(
                "write `{name}` alone for the whole document, or `{name} = \"author.tags\"` for \
                 the value at a path"
            ))
            .with_span(item)
        })
    }
}

/// `interface` for all fields in common, or `interface = "id, title"` for some.
#[derive(Clone, Debug)]
pub(crate) enum AllOrNames {
    All(Span),
    Names(StrValue),
}

impl FromMeta for AllOrNames {
    fn from_meta(item: &Meta) -> Result<Self> {
        if let Meta::Path(path) = item {
            return Ok(Self::All(path.span()));
        }
        StrValue::from_meta(item).map(Self::Names).map_err(|_| {
            let name = name_of(item);
            Error::custom(format!(
                "write `{name}` alone for all fields that the members have in common, or \
                 `{name} = \"id, title\"` for some of them"
            ))
            .with_span(item)
        })
    }
}

/// `crate = ::path`.
#[derive(Clone, Debug)]
pub(crate) struct CratePath(pub(crate) Path);

impl FromMeta for CratePath {
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

/// `shape_of = User`.
#[derive(Clone, Debug)]
pub(crate) struct StructPath(pub(crate) Path);

impl FromMeta for StructPath {
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

/// `name(..)`.
#[derive(Clone, Debug)]
pub(crate) struct Nested<T> {
    /// The span of `name`.
    pub(crate) span: Span,
    /// The attributes in the parentheses.
    pub(crate) args: T,
}

impl<T: NestedReceiver> FromMeta for Nested<T> {
    fn from_meta(item: &Meta) -> Result<Self> {
        let Meta::List(list) = item else {
            let name = name_of(item);
            if matches!(item, Meta::Path(_)) && T::MAY_BE_BARE {
                return Ok(Self {
                    span: item.span(),
                    args: T::default(),
                });
            }
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

/// An expression without the invisible group around a literal that was passed to a declarative
/// macro as `$value:expr` or `$value:literal`.
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
