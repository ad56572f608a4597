//! The implementation of `Embed`: the constant table of a struct.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use super::names::alias;
use super::tokens::{id, key, key_type, option, table};
use super::{field, part, shape_of};
use crate::model::Model;

/// The types of parts, the type of `shape_of`, and the implementation.
pub(super) fn emit(model: &Model) -> TokenStream {
    let krate = &model.krate;
    let ident = &model.ident;
    let name = ident.unraw().to_string();
    let type_name = &model.type_name;
    let docs = option(krate, model.docs.as_ref());
    let id = id(krate, &name);
    let table = table(krate, &model.table);
    let filter = option(krate, model.filter.as_ref());
    let key_fields = model.key();
    let key = option(krate, key(krate, &key_fields));
    let group_by = &model.group_by;
    let aliases: Vec<_> = key_fields.iter().map(|field| alias(field)).collect();
    let key_field = match key_fields.first() {
        Some(first) => key_type(&aliases, first.ty.span()),
        None => shape_of::key_field(model),
    };
    let whole = model.shape_of.as_ref().map(|shape_of| {
        let own = shape_of::Written {
            id: &id,
            name: &name,
            table: &table,
            filter: &filter,
            key: &key,
        };
        shape_of::emit(model, shape_of, &own)
    });
    // With `shape_of`, table, filter and key are functions of the other struct's.
    let (whole, items, [table, filter, key]) = match whole {
        Some(shape_of::Emitted {
            whole,
            items,
            shape,
        }) => (Some(whole), Some(items), shape),
        None => (None, None, [table, filter, key]),
    };
    let (parts, children): (Vec<_>, Vec<_>) = model
        .document_fields()
        .enumerate()
        .filter_map(|(index, field)| {
            let (name, part) = part::emit(model, field)?;
            Some((part, (name, index)))
        })
        .unzip();
    let children = part::children(model, children.into_iter());
    let fields = model.document_fields().map(|one| field::emit(model, one));
    let is_view = model.view.is_some().then(|| {
        quote!(
            const IS_VIEW: bool = true;
        )
    });
    quote! {
        #(#parts)*
        #whole

        #[automatically_derived]
        impl #krate::Embed for #ident {
            const SHAPE: &'static #krate::schema::Shape = &#krate::schema::Shape {
                id: #id,
                name: #name,
                type_name: #type_name,
                docs: #docs,
                table: #table,
                filter: #filter,
                key: #key,
                group_by: &[#(#group_by),*],
                fields: &[#(#fields),*],
            };
            type KeyField = #key_field;
            fn children() -> impl #krate::__private::Children {
                #children
            }
            #is_view
            #items
        }
    }
}
