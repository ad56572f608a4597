//! The implementation of `ViewDef`: the constant table of a view, and its statements.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::spanned::Spanned;

use super::names::alias;
use super::{storage, tokens};
use crate::case;
use crate::model::{Model, View};

pub(super) fn emit(model: &Model, view: &View) -> TokenStream {
    let krate = &model.krate;
    let ident = &model.ident;
    let View {
        table,
        entity,
        plural,
        json_text,
        eventual,
        storage,
        indexes,
        parameters,
    } = view;
    let indexes = indexes.iter().map(|index| storage::index(krate, index));
    let stored_in = storage::storage(krate, *storage);
    let parameters = storage::parameters(krate, parameters);
    let table = tokens::table(krate, table);
    let (field, list_field) = (case::camel(entity), case::camel(plural));
    let data = if *json_text {
        quote!(Json)
    } else {
        quote!(Jsonb)
    };
    let sync = if *eventual {
        quote!(Eventual)
    } else {
        quote!(Commit)
    };
    let key_fields = model.key();
    // `check` refuses a view without a key.
    let Some(first) = key_fields.first() else {
        return TokenStream::new();
    };
    let types: Vec<_> = key_fields.iter().map(|field| &field.ty).collect();
    let key_type = tokens::key_type(&types, first.ty.span());
    let tenant_type = match model.tenant() {
        Some(tenant) => alias(tenant).to_token_stream(),
        None => quote!(#krate::__private::NoTenant),
    };
    let tenant = tokens::option(
        krate,
        model.tenant().map(|field| tokens::tenant(krate, field)),
    );
    let key = tokens::key(krate, &key_fields);
    quote! {
        // A constant of its own, not `Self::DEFINITION`: that needs the implementation to hold,
        // and an error in its bounds (a key that is not a `Key`) would be reported once more.
        const __VIEW: &'static #krate::schema::View = &#krate::schema::View {
            shape: <#ident as #krate::Embed>::SHAPE,
            table: #table,
            entity: #entity,
            plural: #plural,
            field: #field,
            list_field: #list_field,
            data: #krate::schema::Data::#data,
            sync: #krate::schema::SyncTime::#sync,
            key: #key,
            tenant: #tenant,
            storage: #stored_in,
            indexes: &[#(#indexes),*],
            parameters: #parameters,
        };
        #[automatically_derived]
        impl #krate::__private::ViewDef for #ident {
            type DocumentKey = #key_type;
            type Tenant = #tenant_type;
            const DEFINITION: &'static #krate::schema::View = __VIEW;
            // The `static` is emitted for each view: in a generic function of the runtime, all
            // views would share one.
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
