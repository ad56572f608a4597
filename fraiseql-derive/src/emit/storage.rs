//! The indexes and the storage of a view table, and the proofs that they fit the fields.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};

use crate::emit::{alias, proofs, schema};
use crate::model::{
    Field, Index, IndexOn, JsonPath, Model, Partition, SearchText, Source, Storage,
};

/// One index.
pub(crate) fn index(model: &Model, index: &Index) -> TokenStream {
    let krate = &model.krate;
    let Index {
        name,
        stem,
        on,
        unique,
        filter,
        include,
    } = index;
    let name = schema::option(model, name.as_ref());
    let filter = schema::option(model, filter.as_ref());
    let on = match on {
        IndexOn::Columns { method, columns } => {
            let columns = columns.iter().map(|term| schema::order_by(model, term));
            quote!(Columns { method: #method, columns: &[#(#columns),*] })
        }
        IndexOn::Expr(expr) => quote!(Expr(#expr)),
        IndexOn::Gin(path) => {
            let keys = path.iter().flat_map(|path| &path.keys);
            quote!(Gin(&[#(#keys),*]))
        }
        IndexOn::FullText { texts, language } => {
            let texts = texts.iter().map(|text| match text {
                SearchText::Column { name, .. } => {
                    quote!(#krate::schema::SearchText::Column(#name))
                }
                SearchText::Document(JsonPath { keys, .. }) => {
                    quote!(#krate::schema::SearchText::Document(&[#(#keys),*]))
                }
            });
            quote!(FullText { texts: &[#(#texts),*], language: #language })
        }
    };
    quote!(#krate::schema::Index {
        name: #name,
        stem: #stem,
        on: #krate::schema::IndexOn::#on,
        unique: #unique,
        filter: #filter,
        include: &[#(#include),*],
    })
}

/// How rows are kept.
pub(crate) fn storage(model: &Model, storage: &Storage) -> TokenStream {
    let krate = &model.krate;
    let Storage {
        unlogged,
        fillfactor,
        partition,
    } = storage;
    if !unlogged && fillfactor.is_none() && partition.is_none() {
        return quote!(#krate::schema::Storage::DEFAULT);
    }
    let fillfactor = match fillfactor {
        Some(percent) => quote!(#percent),
        None => quote!(#krate::schema::Storage::DEFAULT.fillfactor),
    };
    let partition = partition.as_ref().map(|partition| match partition {
        Partition::Hash(count) => quote!(#krate::schema::Partition::Hash(#count)),
        Partition::Range { bounds, .. } => {
            quote!(#krate::schema::Partition::Range(&[#(#bounds),*]))
        }
    });
    let partition = schema::option(model, partition);
    quote!(#krate::schema::Storage {
        unlogged: #unlogged,
        fillfactor: #fillfactor,
        partition: #partition,
    })
}

/// What only the compiler knows: the types of fields and keys, and the fields of parts.
pub(crate) fn proofs(model: &Model) -> Vec<TokenStream> {
    let Some(view) = &model.view else {
        return Vec::new();
    };
    let mut proofs = Vec::new();
    for index in &view.indexes {
        match &index.on {
            IndexOn::Gin(Some(path)) => proofs.extend(of_path(model, path)),
            IndexOn::FullText { texts, .. } => {
                proofs.extend(texts.iter().filter_map(|text| of_text(model, text)));
            }
            _ => {}
        }
    }
    if let Some(Partition::Range { bounds, span }) = &view.storage.partition
        && let Some(key) = model.key()
    {
        let key = alias(key);
        let krate = &model.krate;
        let proof = quote_spanned!(*span=> __private::proof::range);
        proofs.push(proofs::call(
            &proof,
            &quote!(<#key as #krate::Scalar>::TYPE, &[#(#bounds),*]),
            *span,
        ));
    }
    proofs
}

fn field<'a>(model: &'a Model, name: &str) -> Option<&'a Field> {
    model.fields.iter().find(|field| field.name == name)
}

fn of_text(model: &Model, text: &SearchText) -> Option<TokenStream> {
    match text {
        SearchText::Column {
            name,
            field: of,
            span,
        } => {
            let message = format!(
                "the column `{name}` is no text, and only text has words to search; leave it \
                 out of `fulltext`"
            );
            Some(of_scalar(model, field(model, of)?, "text", &message, *span))
        }
        SearchText::Document(path) => of_path(model, path),
    }
}

/// The second key of a path is one of the part, or the field is any JSON.
fn of_path(model: &Model, path: &JsonPath) -> Option<TokenStream> {
    let [first, second, ..] = path.keys.as_slice() else {
        return None;
    };
    let krate = &model.krate;
    let field = field(model, &path.field)?;
    if matches!(field.source, Source::One { .. }) {
        let part = schema::part_name(field);
        let message = format!(
            "the part `{first}` has no key `{second}` in the document; keys are written as they \
             are there, in camelCase"
        );
        let proof = quote_spanned!(path.span=> __private::proof::part_has_key);
        return Some(proofs::call(
            &proof,
            &quote!(<#part as #krate::Embed>::SHAPE, #second, #message),
            path.span,
        ));
    }
    let message = format!(
        "`{first}` is one value, in which there is no key `{second}`; a path leads through \
         parts and fields of type serde_json::Value"
    );
    Some(of_scalar(model, field, "json", &message, path.span))
}

fn of_scalar(model: &Model, field: &Field, proof: &str, message: &str, span: Span) -> TokenStream {
    let krate = &model.krate;
    let ty = alias(field);
    let proof = syn::Ident::new(proof, span);
    proofs::call(
        &quote_spanned!(span=> __private::proof::#proof),
        &quote!(<#ty as #krate::Scalar>::TYPE, #message),
        span,
    )
}
