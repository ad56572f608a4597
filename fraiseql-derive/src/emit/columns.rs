//! The constants of a view's fields, for filters and orders that the compiler checks: `Post::TITLE`.

use std::collections::HashSet;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{Path, Type, Visibility};

use crate::case;
use crate::model::{Field, Model, Source};

/// The constants of the traits that a view implements. A constant of the struct would hide the one of these with
/// its name, in code of the user as well: `Post::VIEW` is to stay the constant table.
const TAKEN: [&str; 5] = ["DEFINITION", "IS_VIEW", "OWN", "SHAPE", "VIEW"];

/// What a list can do with a field.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Usage {
    FilterAndOrder,
    FilterOnly,
    /// There is a constant nevertheless, so that the message can say what is missing.
    NoColumn,
}

impl Usage {
    fn of(field: &Field) -> Self {
        match &field.promoted {
            Some(promoted) if promoted.sort => Self::FilterAndOrder,
            Some(promoted) if promoted.filter || promoted.unique.is_some() => Self::FilterOnly,
            None if field.is_key => Self::FilterAndOrder,
            _ => Self::NoColumn,
        }
    }
}

/// A field that has a constant.
pub(crate) struct Column<'a> {
    pub(crate) name: &'a str,
    pub(crate) span: Span,
    pub(crate) visibility: &'a Visibility,
    pub(crate) ty: &'a Type,
    pub(crate) json: &'a str,
    pub(crate) usage: Usage,
}

/// The constants of the scalar fields of a view.
pub(super) fn emit(model: &Model) -> TokenStream {
    let scalars = model.document_fields().filter(|field| {
        // A global id cannot be a column.
        !field.holds_parts() && !matches!(field.source, Source::GlobalId)
    });
    let columns = scalars.map(|field| Column {
        name: &field.name,
        span: field.ident.span(),
        visibility: &field.visibility,
        ty: &field.ty,
        json: &field.json,
        usage: Usage::of(field),
    });
    constants(&model.krate, &model.ident, columns)
}

/// The constants of these fields.
pub(crate) fn constants<'a>(
    krate: &Path,
    view: &Ident,
    columns: impl Iterator<Item = Column<'a>>,
) -> TokenStream {
    let mut taken: HashSet<String> = TAKEN.iter().map(|name| (*name).to_owned()).collect();
    let constants = columns.map(|column| {
        let Column {
            name,
            span,
            visibility,
            ty,
            json,
            usage,
        } = column;
        let mut constant = case::snake(name).to_uppercase();
        while !taken.insert(constant.clone()) {
            constant.push('_');
        }
        let constant = Ident::new(&constant, span);
        let usage = format_ident!("{usage:?}");
        let doc = format!("`{name}`, in filters and orders of lists.");
        // With the span of the field: an error about a name that exists twice points there.
        quote_spanned! {span=>
            #[doc = #doc]
            #visibility const #constant: #krate::list::Column<Self, #ty, #krate::list::#usage> =
                #krate::list::Column::new(#json);
        }
    });
    quote! {
        #[allow(dead_code, non_upper_case_globals, private_interfaces, unreachable_pub)]
        impl #view {
            #(#constants)*
        }
    }
}
