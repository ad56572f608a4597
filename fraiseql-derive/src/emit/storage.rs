//! The indexes and the storage parameters of a view in its constant table.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Path;

use super::tokens::{option, order_by};
use crate::model::{Index, IndexOn, JsonPath, Partition, SearchText, Storage};

/// A `schema::Index`.
pub(super) fn index(krate: &Path, index: &Index) -> TokenStream {
    let Index {
        name,
        stem,
        on,
        unique,
        filter,
        include,
    } = index;
    let name = option(krate, name.as_ref());
    let filter = option(krate, filter.as_ref());
    let on = match on {
        IndexOn::Columns { method, columns } => {
            let columns = columns.iter().map(|term| order_by(krate, term));
            quote!(Columns { method: #method, columns: &[#(#columns),*] })
        }
        IndexOn::Expr(expr) => quote!(Expr(#expr)),
        IndexOn::Gin(path) => {
            // No keys are the whole document.
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

/// A `schema::Storage`. The default values are those of the runtime.
pub(super) fn storage(krate: &Path, storage: &Storage) -> TokenStream {
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
    let partition = option(krate, partition);
    quote!(#krate::schema::Storage {
        unlogged: #unlogged,
        fillfactor: #fillfactor,
        partition: #partition,
    })
}
