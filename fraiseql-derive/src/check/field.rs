//! What a field's attributes mean.

use darling::Result;
use darling::error::Accumulator;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Ident, Type};

use super::error::{at, checked};
use super::source::{source, sources};
use super::types::refused;
use crate::attr::{FieldAttr, Mark};
use crate::case;
use crate::model::{Field, Kind, Promoted};
use crate::spelling::argument;
use crate::text;

/// The field, without what only the struct as a whole tells: its key, its columns' names. Fails
/// where even the source cannot be told.
pub(super) fn check(
    ident: &Ident,
    ty: &Type,
    attr: &FieldAttr,
    kind: Kind,
    errors: &mut Accumulator,
) -> Result<Field> {
    let name = ident.unraw().to_string();
    let json = json(ident, &name, attr, errors);
    let column = column(ident, &name, attr, errors);
    check_source(attr, errors);
    check_marks(attr, kind, errors);
    let promoted = marks(attr)
        .iter()
        .any(|(_, mark)| mark.is_some())
        .then(|| Promoted {
            column: column.clone(),
            filter: attr.filter.is_some(),
            sort: attr.sort.is_some(),
            unique: attr.unique.map(|Mark(span)| span),
        });
    Ok(Field {
        ident: ident.clone(),
        name,
        ty: ty.clone(),
        json,
        docs: None,
        source: source(attr, column, errors)?,
        promoted,
        is_key: false,
        skipped: attr.skip.is_some(),
    })
}

/// The key in the document.
fn json(ident: &Ident, name: &str, attr: &FieldAttr, errors: &mut Accumulator) -> String {
    let (json, span) = match &attr.json {
        Some(text) => (text.value(), text.span()),
        None => (case::camel(name), ident.span()),
    };
    if attr.skip.is_none()
        && let Err(message) = text::graphql_name(&json, "json")
    {
        errors.push(at(span, message));
    }
    json
}

/// The column, if the value comes from one. If not, its name is that of a promoted column.
fn column(ident: &Ident, name: &str, attr: &FieldAttr, errors: &mut Accumulator) -> String {
    if attr.column.is_some() {
        return checked(attr.column.as_ref(), text::identifier, errors).unwrap_or_default();
    }
    if sources(attr).is_empty()
        && let Err(message) = text::identifier(name)
    {
        let message = format!("{message}; give the column with `column = \"..\"`");
        errors.push(at(ident.span(), message));
    }
    name.to_owned()
}

/// Whether there is one source, and nothing that does not go with it.
fn check_source(attr: &FieldAttr, errors: &mut Accumulator) {
    let sources = sources(attr);
    let Some((source, _)) = sources.first() else {
        return;
    };
    if let Some((second, span)) = sources.get(1) {
        errors.push(at(
            *span,
            format!("a field has one source: `{source}` and `{second}` cannot stand together"),
        ));
    }
    if let Some(column) = &attr.column {
        errors.push(at(
            column.span(),
            format!(
                "`column` does not go with `{source}`, which says where the value comes from; \
                 leave `column` out"
            ),
        ));
    }
    if let Some(Mark(span)) = attr.key {
        errors.push(at(
            span,
            format!("a key is a column, and cannot be computed: `key` does not go with `{source}`"),
        ));
    }
    if let Some(Mark(span)) = attr.skip {
        errors.push(at(
            span,
            format!(
                "`skip` leaves the field out of the document, so `{source}` would never be used"
            ),
        ));
    }
}

/// The marks that make a column of the view table.
fn marks(attr: &FieldAttr) -> [(&'static str, Option<Mark>); 3] {
    [
        ("filter", attr.filter),
        ("sort", attr.sort),
        ("unique", attr.unique),
    ]
}

/// Whether the view table can have the columns that the marks make.
fn check_marks(attr: &FieldAttr, kind: Kind, errors: &mut Accumulator) {
    for (mark, place) in marks(attr) {
        let Some(Mark(span)) = place else { continue };
        if kind == Kind::Part {
            errors.push(at(
                span,
                format!(
                    "`{mark}` makes a column of a view table, and a part has none; put it on a \
                     field of the view"
                ),
            ));
        } else if attr.one.is_some() || attr.many.is_some() {
            errors.push(at(
                span,
                format!(
                    "`{mark}` makes a column of a view table, which holds one value; \
                     objects and lists stay in the document"
                ),
            ));
        } else if attr.skip.is_some() {
            errors.push(at(span, format!("`{mark}` does not go with `skip`")));
        }
    }
}

/// The field's type, as far as its spelling tells: all else is asked of the compiler.
pub(super) fn check_type(ty: &Type, errors: &mut Accumulator) {
    if let Some(error) = refused(ty) {
        errors.push(error);
        return;
    }
    let nested = |name| argument(ty, name).is_some_and(|inner| argument(inner, name).is_some());
    if nested("Option") {
        errors.push(at(
            ty.span(),
            "an `Option` of an `Option`: SQL has only one null; write one `Option`",
        ));
    }
    if nested("Vec") {
        errors.push(at(
            ty.span(),
            "a `Vec` of a `Vec`: an array in PostgreSQL has no fixed number of dimensions; write \
             `serde_json::Value`, for a column of type jsonb",
        ));
    }
}
