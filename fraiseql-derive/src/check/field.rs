//! Checks the attributes and the type of one field.

use darling::Result;
use darling::error::Accumulator;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Ident, Type, Visibility};

use super::error::{error_at, parsed};
use super::source::{source, sources};
use super::types::unsupported;
use super::{global_id, hidden, tenant};
use crate::attr::{FieldAttr, FieldFlag};
use crate::case;
use crate::model::{DeriveKind, Field, Promoted};
use crate::text;
use crate::type_syntax::generic_argument;

/// Checks a field, apart from what depends on the other fields: whether it is the key, and the
/// names of promoted columns. Fails if its source is incomplete.
pub(super) fn check(
    ident: &Ident,
    ty: &Type,
    attr: &FieldAttr,
    kind: DeriveKind,
    grouped: bool,
    errors: &mut Accumulator,
) -> Result<Field> {
    let name = ident.unraw().to_string();
    let json = json(ident, &name, attr, errors);
    let column = column(ident, &name, attr, errors);
    check_source(attr, errors);
    check_promotion(attr, kind, errors);
    tenant::check(attr, kind, errors);
    hidden::check(attr, kind, errors);
    if let (DeriveKind::View, Some(through)) = (kind, &attr.through) {
        errors.push(error_at(
            through.span(),
            "`through` is a column of the join table by which a part is in a list, and a document of a \
             view is in none: write it in a struct with `#[derive(Embed)]`",
        ));
    }
    global_id::check(ident, ty, attr, kind, errors);
    let promotes = promotions(attr).iter().any(|(_, flag)| flag.is_some());
    let promoted = (promotes || attr.tenant.is_some()).then(|| Promoted {
        column: column.clone(),
        filter: attr.filter.is_some(),
        sort: attr.sort.is_some(),
        unique: attr.unique.map(|FieldFlag(span)| span),
        index: attr.index.is_none(),
        hidden: attr.hidden.is_some(),
    });
    Ok(Field {
        ident: ident.clone(),
        visibility: Visibility::Inherited,
        name,
        ty: ty.clone(),
        json,
        docs: None,
        source: source(attr, column, grouped, errors)?,
        promoted,
        is_key: false,
        is_tenant: attr.tenant.is_some() && kind == DeriveKind::View,
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
        errors.push(error_at(span, message));
    }
    json
}

/// The column of the base table. For a field with another source it is only the name of its
/// promoted column.
fn column(ident: &Ident, name: &str, attr: &FieldAttr, errors: &mut Accumulator) -> String {
    if attr.column.is_some() {
        return parsed(attr.column.as_ref(), text::identifier, errors).unwrap_or_default();
    }
    if sources(attr).is_empty()
        && let Err(message) = text::identifier(name)
    {
        let message = format!("{message}; name the column with `column = \"..\"`");
        errors.push(error_at(ident.span(), message));
    }
    name.to_owned()
}

/// Checks that there is one source, and nothing that cannot be combined with it.
fn check_source(attr: &FieldAttr, errors: &mut Accumulator) {
    let sources = sources(attr);
    let Some((source, _)) = sources.first() else {
        return;
    };
    if let Some((second, span)) = sources.get(1) {
        errors.push(error_at(
            *span,
            format!("a field has one source: `{source}` and `{second}` cannot be combined"),
        ));
    }
    if let Some(column) = &attr.column {
        errors.push(error_at(
            column.span(),
            format!(
                "`column` cannot be combined with `{source}`, which is the source of the value; \
                 remove `column`"
            ),
        ));
    }
    if let Some(FieldFlag(span)) = attr.key {
        errors.push(error_at(
            span,
            format!("`key` cannot be combined with `{source}`: the key must be a column"),
        ));
    }
    if let Some(FieldFlag(span)) = attr.skip {
        errors.push(error_at(
            span,
            format!(
                "`skip` leaves the field out of the document, so `{source}` would have no \
                 effect; remove one of them"
            ),
        ));
    }
}

/// The flags that promote a field to a column of the view table.
fn promotions(attr: &FieldAttr) -> [(&'static str, Option<FieldFlag>); 3] {
    [
        ("filter", attr.filter),
        ("sort", attr.sort),
        ("unique", attr.unique),
    ]
}

/// Checks that a promoted field can be a column of a view table.
fn check_promotion(attr: &FieldAttr, kind: DeriveKind, errors: &mut Accumulator) {
    for (name, flag) in promotions(attr) {
        let Some(FieldFlag(span)) = flag else {
            continue;
        };
        if kind == DeriveKind::Part {
            errors.push(error_at(
                span,
                format!(
                    "`{name}` makes a column of the view table, and a part has no view table; \
                     mark a field of the view"
                ),
            ));
        } else if attr.one.is_some() || attr.many.is_some() || attr.first.is_some() {
            errors.push(error_at(
                span,
                format!(
                    "`{name}` makes a column of the view table, and objects and lists of objects are in \
                     the document only; mark a field with a single value"
                ),
            ));
        } else if attr.values.is_some() && name != "filter" {
            errors.push(error_at(
                span,
                format!(
                    "`{name}` compares values as a whole, and `values` is a list of them; write `filter`, \
                     which finds lists by the values in them"
                ),
            ));
        } else if attr.skip.is_some() {
            errors.push(error_at(
                span,
                format!(
                    "`{name}` cannot be combined with `skip`, which leaves the field out of the \
                     document"
                ),
            ));
        }
    }
}

/// Checks a type as far as its spelling is conclusive. The rest is left to the compiler, which
/// sees through aliases.
pub(super) fn check_type(ty: &Type, errors: &mut Accumulator) {
    if let Some(error) = unsupported(ty) {
        errors.push(error);
        return;
    }
    let nested = |name| {
        generic_argument(ty, name).is_some_and(|inner| generic_argument(inner, name).is_some())
    };
    // These two texts are also those of `FLAW` in the runtime, for aliases.
    if nested("Option") {
        errors.push(error_at(
            ty.span(),
            "`Option<Option<_>>` is not supported, because SQL has only one null: write one \
             `Option`",
        ));
    }
    if nested("Vec") {
        errors.push(error_at(
            ty.span(),
            "`Vec<Vec<_>>` is not supported, because a PostgreSQL array type has no fixed number \
             of dimensions: write `serde_json::Value` for a column of type jsonb",
        ));
    }
}
