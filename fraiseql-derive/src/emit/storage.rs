//! The storage of a view, its storage parameters and its indexes in its constant table.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Path;

use super::tokens::{option, order_by};
use crate::model::{Index, IndexOn, JsonPath, Partition, SearchText, Storage, StorageParameters};

/// A `schema::Index`.
pub(super) fn index(krate: &Path, index: &Index) -> TokenStream {
    let Index {
        name,
        stem,
        on,
        unique,
        global,
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
        IndexOn::FullText {
            texts,
            language,
            search,
        } => {
            let search = option(krate, search.as_ref());
            let texts = texts.iter().map(|text| match text {
                SearchText::Column { name, .. } => {
                    quote!(#krate::schema::SearchText::Column(#name))
                }
                SearchText::Document(JsonPath { keys, .. }) => {
                    quote!(#krate::schema::SearchText::Document(&[#(#keys),*]))
                }
            });
            quote!(FullText { texts: &[#(#texts),*], language: #language, search: #search })
        }
    };
    quote!(#krate::schema::Index {
        name: #name,
        stem: #stem,
        on: #krate::schema::IndexOn::#on,
        unique: #unique,
        global: #global,
        filter: #filter,
        include: &[#(#include),*],
    })
}

/// A `schema::Storage`.
pub(super) fn storage(krate: &Path, storage: Storage) -> TokenStream {
    let storage = match storage {
        Storage::Table => quote!(Table),
        Storage::Live => quote!(Live),
        Storage::Matview { refresh } => {
            let refresh = refresh
                .map(|seconds| quote!(#krate::__private::std::time::Duration::from_secs(#seconds)));
            let refresh = option(krate, refresh);
            quote!(Matview { refresh: #refresh })
        }
    };
    quote!(#krate::schema::Storage::#storage)
}

/// A `schema::StorageParameters`. The default values are those of the runtime.
pub(super) fn parameters(krate: &Path, parameters: &StorageParameters) -> TokenStream {
    let StorageParameters {
        unlogged,
        fillfactor,
        partition,
    } = parameters;
    if !unlogged && fillfactor.is_none() && partition.is_none() {
        return quote!(#krate::schema::StorageParameters::DEFAULT);
    }
    let fillfactor = match fillfactor {
        Some(percent) => quote!(#percent),
        None => quote!(#krate::schema::StorageParameters::DEFAULT.fillfactor),
    };
    let partition = partition.as_ref().map(|partition| match partition {
        Partition::Hash {
            count,
            tenant: None,
        } => quote!(#krate::schema::Partition::Hash(#count)),
        Partition::Hash { count, .. } => {
            quote!(#krate::schema::Partition::HashOfTenant(#count))
        }
        Partition::Range { bounds, .. } => {
            quote!(#krate::schema::Partition::Range(&[#(#bounds),*]))
        }
    });
    let partition = option(krate, partition);
    quote!(#krate::schema::StorageParameters {
        unlogged: #unlogged,
        fillfactor: #fillfactor,
        partition: #partition,
    })
}
