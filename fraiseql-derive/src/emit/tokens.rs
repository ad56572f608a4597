//! Small values of the constant table.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Path;

use super::names::alias;
use crate::identifiers::MAX_KEY_COLUMNS;
use crate::model::{ColumnsRef, Field, OrderBy, Table};

/// An `Option`.
pub(super) fn option<T: ToTokens>(krate: &Path, value: Option<T>) -> TokenStream {
    match value {
        Some(value) => quote!(#krate::__private::std::option::Option::Some(#value)),
        None => quote!(#krate::__private::std::option::Option::None),
    }
}

/// A `schema::Table`.
pub(super) fn table(krate: &Path, table: &Table) -> TokenStream {
    let Table { schema, name } = table;
    quote!(#krate::schema::Table { schema: #schema, name: #name })
}

/// A `schema::Columns`.
pub(super) fn columns(krate: &Path, columns: &ColumnsRef) -> TokenStream {
    let names = &columns.names;
    quote!(#krate::schema::Columns::new(&[#(#names),*]))
}

/// A `schema::Columns`, if columns are named.
pub(super) fn optional_columns(krate: &Path, named: Option<&ColumnsRef>) -> TokenStream {
    option(krate, named.map(|named| columns(krate, named)))
}

/// The `schema::Key` of a struct whose key is these fields. None if there are none.
pub(super) fn key(krate: &Path, fields: &[&Field]) -> Option<TokenStream> {
    if fields.is_empty() {
        return None;
    }
    let names = fields.iter().map(|field| field.source_column());
    let names = names.map(Option::unwrap_or_default);
    let types = fields.iter().map(|field| scalar_type(krate, field));
    Some(quote!(#krate::schema::Key {
        columns: #krate::schema::Columns::new(&[#(#names),*]),
        types: &[#(#types),*],
    }))
}

/// The type of a key of these fields: that of the field, or a tuple. More columns than a tuple can have were reported.
pub(super) fn key_type<T: ToTokens>(types: &[T], span: Span) -> TokenStream {
    match types {
        [ty] => quote!(#ty),
        types => {
            let types = types.iter().take(MAX_KEY_COLUMNS);
            quote_spanned!(span=> (#(#types),*))
        }
    }
}

/// The `schema::Tenant` of a view whose tenant is this field.
pub(super) fn tenant(krate: &Path, field: &Field) -> TokenStream {
    let column = field.view_column().unwrap_or_default();
    let source = field.source_column().unwrap_or_default();
    let ty = scalar_type(krate, field);
    quote!(#krate::schema::Tenant { column: #column, source: #source, ty: #ty })
}

/// The `ScalarType` of a field's type. For a type without one this compiles, with a harmless
/// value: the proof about the field reports it.
pub(super) fn scalar_type(krate: &Path, field: &Field) -> TokenStream {
    let ty = alias(field);
    quote!(<#krate::__private::relation::Value<#ty>>::TYPE)
}

/// A `schema::OrderBy`.
pub(super) fn order_by(krate: &Path, term: &OrderBy) -> TokenStream {
    let OrderBy {
        column,
        descending,
        nulls_first,
    } = term;
    let nulls_first = option(krate, nulls_first.as_ref());
    quote!(#krate::schema::OrderBy {
        column: #column, descending: #descending, nulls_first: #nulls_first,
    })
}

/// The `schema::Function` of an aggregate.
pub(super) fn function(krate: &Path, name: &str) -> TokenStream {
    let variant = match name {
        "count" => quote!(Count),
        "sum" => quote!(Sum),
        "avg" => quote!(Avg),
        "min" => quote!(Min),
        "max" => quote!(Max),
        _ => quote!(Exists),
    };
    quote!(#krate::schema::Function::#variant)
}

/// A text that identifies a struct or an enum: its module, name, line and column. Proofs compare structs by
/// it, and report a cycle at the struct that comes first.
pub(super) fn id(krate: &Path, name: &str) -> TokenStream {
    quote! {
        #krate::__private::std::concat!(
            #krate::__private::std::module_path!(), "::", #name, "@",
            #krate::__private::std::line!(), ":", #krate::__private::std::column!()
        )
    }
}
