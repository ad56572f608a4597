//! The functions of a view: `sync_post`, `sync_all_posts`, `verify_post` and `delete_post`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::spanned::Spanned;

use super::tokens;
use crate::model::{Model, View};

/// The functions, each a call of a generic function of the runtime.
pub(super) fn emit(model: &Model, view: &View) -> TokenStream {
    let Model {
        krate,
        ident,
        visibility,
        ..
    } = model;
    let View { entity, plural, .. } = view;
    let key_fields = model.key();
    // `check` refuses a view without a key.
    let Some(first) = key_fields.first() else {
        return TokenStream::new();
    };
    let types: Vec<_> = key_fields.iter().map(|field| &field.ty).collect();
    let key = tokens::key_type(&types, first.ty.span());
    // With the span of the struct: an error about a name that exists twice points there.
    let sync = format_ident!("sync_{entity}", span = ident.span());
    let sync_all = format_ident!("sync_all_{plural}", span = ident.span());
    let delete = format_ident!("delete_{entity}", span = ident.span());
    let verify = format_ident!("verify_{entity}", span = ident.span());
    let Docs {
        sync: sync_doc,
        sync_all: sync_all_doc,
        verify: verify_doc,
        delete: delete_doc,
    } = docs(model, view);
    quote! {
        #[doc = #sync_doc]
        #[allow(dead_code)]
        #visibility async fn #sync(
            target: impl #krate::SyncTarget,
            keys: &[#key],
        ) -> #krate::Result<#krate::SyncReport> {
            #krate::__private::sync::<#ident>(target, keys).await
        }

        #[doc = #sync_all_doc]
        #[allow(dead_code)]
        #visibility fn #sync_all<'a, T: #krate::SyncTarget + 'a>(
            target: T,
        ) -> #krate::sync::FullSync<'a, T> {
            #krate::__private::sync_all::<#ident, T>(target)
        }

        #[doc = #verify_doc]
        #[allow(dead_code)]
        #visibility fn #verify<'a>(
            target: impl #krate::verify::VerifyTarget + 'a,
        ) -> #krate::Verify<'a> {
            #krate::__private::verify::<#ident>(target)
        }

        #[doc = #delete_doc]
        #[allow(dead_code)]
        #visibility async fn #delete(
            target: impl #krate::SyncTarget,
            keys: &[#key],
        ) -> #krate::Result<#krate::SyncReport> {
            #krate::__private::delete::<#ident>(target, keys).await
        }
    }
}

/// The doc comments of the functions.
struct Docs {
    sync: String,
    sync_all: String,
    verify: String,
    delete: String,
}

fn docs(model: &Model, view: &View) -> Docs {
    let base = format!("`{}.{}`", model.table.schema, model.table.name);
    let stored = format!("`{}.{}`", view.table.schema, view.table.name);
    let root = link_path(&model.krate);
    Docs {
        sync: format!(
            "Makes the documents of `keys` in {stored} equal to the rows of {base} and the rows \
             that these depend on: inserts missing documents, updates different ones, skips equal \
             ones, and deletes those whose row is gone.\n\n\
             Call it on `&pool` after the commit, or on `&mut tx` just before it.\n\n\
             # Errors\nIf the database refuses a statement; see \
             [`SyncTarget`]({root}::SyncTarget)."
        ),
        sync_all: format!(
            "Makes every document in {stored} equal to the base tables, chunk by chunk. Await the \
             result; [`FullSync`]({root}::sync::FullSync) has settings."
        ),
        verify: format!(
            "Compares the documents in {stored} with the base tables, chunk by chunk. Await the \
             result; [`Verify`]({root}::Verify) has settings."
        ),
        delete: format!(
            "Deletes the documents of `keys` from {stored}, whether or not their rows still \
             exist.\n\n# Errors\nIf the database refuses the statement."
        ),
    }
}

/// A path as it is written in a link of rustdoc. A leading `::` is not allowed there.
fn link_path(path: &syn::Path) -> String {
    path.segments
        .iter()
        .map(|segment| segment.ident.to_string())
        .collect::<Vec<_>>()
        .join("::")
}
