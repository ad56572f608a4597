//! What a view has beyond its shape: its table, and the functions that sync it.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use crate::emit::{schema, storage};
use crate::model::{Model, View};

pub(crate) fn implementation(model: &Model, view: &View) -> TokenStream {
    let krate = &model.krate;
    let ident = &model.ident;
    let View {
        table,
        entity,
        plural,
        json_text,
        indexes,
        storage,
    } = view;
    let indexes = indexes.iter().map(|index| storage::index(model, index));
    let storage = storage::storage(model, storage);
    let table = schema::table(model, table);
    let data = if *json_text {
        quote!(Json)
    } else {
        quote!(Jsonb)
    };
    // The check has made sure that there is one.
    let Some(key) = model.key() else {
        return TokenStream::new();
    };
    let key_type = &key.ty;
    let key = schema::key(model, key);
    quote! {
        // By itself, so that it does not ask for what a view must be once more.
        const __VIEW: &'static #krate::schema::View = &#krate::schema::View {
            shape: <#ident as #krate::Embed>::SHAPE,
            table: #table,
            entity: #entity,
            plural: #plural,
            data: #krate::schema::Data::#data,
            key: #key,
            indexes: &[#(#indexes),*],
            storage: #storage,
        };
        #[automatically_derived]
        impl #krate::__private::ViewDef for #ident {
            type DocumentKey = #key_type;
            const DEFINITION: &'static #krate::schema::View = __VIEW;
            fn composed() -> &'static #krate::__private::Statements {
                static STATEMENTS: #krate::__private::std::sync::OnceLock<
                    #krate::__private::Statements,
                > = #krate::__private::std::sync::OnceLock::new();
                STATEMENTS.get_or_init(|| {
                    #krate::__private::Statements::compose(__VIEW)
                })
            }
        }
    }
}

pub(crate) fn functions(model: &Model, view: &View) -> TokenStream {
    let Model {
        krate,
        ident,
        visibility,
        ..
    } = model;
    let View { entity, plural, .. } = view;
    let Some(key) = model.key() else {
        return TokenStream::new();
    };
    let key = &key.ty;
    let sync = format_ident!("sync_{entity}", span = ident.span());
    let sync_all = format_ident!("sync_all_{plural}", span = ident.span());
    let delete = format_ident!("delete_{entity}", span = ident.span());
    let verify = format_ident!("verify_{entity}", span = ident.span());
    let base = format!("`{}.{}`", model.table.schema, model.table.name);
    let stored = format!("`{}.{}`", view.table.schema, view.table.name);
    let root = plain(krate);
    let sync_doc = format!(
        "Makes the documents of `keys` in {stored} equal to the rows of {base} and what they \
         refer to: inserts, updates, skips what is equal, deletes those whose row is gone.\n\n\
         On `&pool` call it after the commit, on `&mut tx` just before it.\n\n\
         # Errors\nWhen the database refuses a statement; see [`SyncTarget`]({root}::SyncTarget)."
    );
    let all_doc = format!(
        "Makes every document in {stored} equal to the base tables, chunk by chunk. Await it; \
         see [`FullSync`]({root}::FullSync) for its settings."
    );
    let verify_doc = format!(
        "Compares the documents in {stored} with what they should be, chunk by chunk. Await it; \
         see [`Verify`]({root}::Verify) for its settings."
    );
    let delete_doc = format!(
        "Deletes the documents of `keys` from {stored}, whether or not their rows still exist.\n\n\
         # Errors\nWhen the database refuses the statement."
    );
    quote! {
        #[doc = #sync_doc]
        #[allow(dead_code)]
        #visibility async fn #sync(
            target: impl #krate::SyncTarget,
            keys: &[#key],
        ) -> #krate::Result<#krate::SyncReport> {
            #krate::__private::sync::<#ident>(target, keys).await
        }

        #[doc = #all_doc]
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

/// A path as it stands in a link of the documentation.
fn plain(path: &syn::Path) -> String {
    path.segments
        .iter()
        .map(|segment| segment.ident.to_string())
        .collect::<Vec<_>>()
        .join("::")
}
