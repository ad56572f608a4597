//! `shape_of`: what a part takes from the struct that it is a shape of, and the proofs that it
//! is one.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};

use crate::emit::proofs::{at, call, ends};
use crate::model::{Model, ShapeOf};

/// What is written on the part itself.
pub(super) struct Own<'a> {
    pub(super) id: &'a TokenStream,
    pub(super) name: &'a str,
    pub(super) table: &'a TokenStream,
    pub(super) filter: &'a TokenStream,
    pub(super) key: &'a TokenStream,
}

/// What is emitted for it.
pub(super) struct Emitted {
    /// A type that stands for the struct that is named.
    pub(super) whole: TokenStream,
    /// What is in the part's implementation in addition.
    pub(super) items: TokenStream,
    /// The table, filter and key of its shape.
    pub(super) shape: [TokenStream; 3],
}

/// The type that stands for the struct that is named. It is the one place where that is asked
/// to be a part, so that a type that is none is one error, at its path.
fn whole(span: Span) -> Ident {
    format_ident!("__Whole", span = span)
}

/// What stands for the key field of a part that has none: that of the struct that is named.
pub(super) fn key_field(model: &Model) -> TokenStream {
    let krate = &model.krate;
    match &model.shape_of {
        Some(shape_of) => {
            let (start, _) = ends(&shape_of.path);
            let whole = whole(start);
            quote!(#krate::__private::KeyOf<#whole>)
        }
        None => quote!(#krate::__private::NoKey),
    }
}

pub(super) fn emit(model: &Model, shape_of: &ShapeOf, own: &Own<'_>) -> Emitted {
    let krate = &model.krate;
    let ident = &model.ident;
    let visibility = &model.visibility;
    let path = &shape_of.path;
    let (start, end) = ends(path);
    let whole = whole(start);
    let asked = |item: TokenStream| {
        let open = quote_spanned!(start=> <);
        let close = quote_spanned!(end=> as #krate::Embed>::#item);
        quote!(#open #path #close)
    };
    let shape = asked(quote_spanned!(end=> SHAPE));
    // Where the part has a key field, that is its key. A private struct is not named then.
    let key_field = match model.key() {
        Some(_) => quote!(#krate::__private::NoKey),
        None => quote!(#krate::__private::KeyOf<#path>),
    };
    let children = asked(quote_spanned!(end=> children()));
    let own_of_whole = asked(quote_spanned!(end=> OWN));
    let next = asked(quote_spanned!(end=> shape_of()));
    let Own {
        id,
        name,
        table,
        filter,
        key,
    } = own;
    let table = match shape_of.table {
        Some(_) => quote!(#krate::__private::std::option::Option::Some(#table)),
        None => quote!(#krate::__private::std::option::Option::None),
    };
    let from = quote!(#krate::__private::shape_of);
    Emitted {
        whole: quote! {
            #[doc(hidden)]
            #[allow(missing_docs, missing_debug_implementations, unreachable_pub)]
            #visibility enum #whole {}
            #[automatically_derived]
            impl #krate::Embed for #whole {
                const SHAPE: &'static #krate::schema::Shape = #shape;
                type KeyField = #key_field;
                fn children() -> impl #krate::__private::Children {
                    #children
                }
                const OWN: #from::Own = #own_of_whole;
                fn shape_of() -> impl #krate::__private::Children {
                    #next
                }
            }
        },
        items: quote! {
            const OWN: #from::Own = #from::Own {
                id: #id, name: #name, table: #table, filter: #filter, key: #key,
            };
            fn shape_of() -> impl #krate::__private::Children {
                <#krate::__private::Child<#whole, 0, #krate::__private::End>>::LIST
            }
        },
        shape: [
            quote!(#from::table::<#ident>()),
            quote!(#from::filter::<#ident>()),
            quote!(#from::key::<#ident>()),
        ],
    }
}

/// That it is a shape of the struct: each field at its name.
pub(super) fn proofs(model: &Model, shape_of: &ShapeOf) -> TokenStream {
    let proof = |name: &str, argument: TokenStream, (start, end): (Span, Span)| {
        let (ident, name) = (at(&model.ident, start), Ident::new(name, start));
        let proof = quote_spanned!(start=> __private::shape_of::#name::<#ident>);
        call(&proof, &argument, end)
    };
    let none = TokenStream::new;
    let mut proofs = proof("chain", none(), ends(&shape_of.path));
    if let Some(table) = shape_of.table {
        proofs.extend(proof("written_table", none(), (table, table)));
    }
    if let Some(key) = shape_of.key {
        proofs.extend(proof("key_column", none(), (key, key)));
    }
    for (index, field) in model.document().enumerate() {
        let span = field.ident.span();
        proofs.extend(proof("field", quote!(#index), (span, span)));
    }
    proofs
}
