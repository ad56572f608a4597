//! `shape_of`: the properties that a part takes from another struct.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use super::names::whole_name;
use super::spans::{ends, projection};
use super::tokens::option;
use crate::model::{Model, ShapeOf};

/// The properties that are written on the part itself.
pub(super) struct Written<'a> {
    pub(super) id: &'a TokenStream,
    pub(super) name: &'a str,
    pub(super) table: &'a TokenStream,
    pub(super) filter: &'a TokenStream,
    pub(super) key: &'a TokenStream,
}

/// The output for a part with `shape_of`.
pub(super) struct Emitted {
    /// A type that stands for the other struct.
    pub(super) whole: TokenStream,
    /// Additional items of the part's implementation of `Embed`.
    pub(super) items: TokenStream,
    /// The table, the filter and the key of the part's shape.
    pub(super) shape: [TokenStream; 3],
}

/// The `KeyField` of a part without a key: that of the other struct, if there is one.
pub(super) fn key_field(model: &Model) -> TokenStream {
    let krate = &model.krate;
    match &model.shape_of {
        Some(shape_of) => {
            let (start, _) = ends(&shape_of.path);
            let whole = whole_name(start);
            quote!(#krate::__private::KeyOf<#whole>)
        }
        None => quote!(#krate::__private::NoKey),
    }
}

/// The type that stands for the other struct, and what the part takes from it.
///
/// The other struct is asked for its implementation of `Embed` only in the implementation of that
/// type, so that a path to something else is one error, at the path. The other struct may itself
/// have a `shape_of`: properties are found by functions of the runtime that follow the chain,
/// with a maximum of steps, because the chain may be a cycle, which a proof reports.
pub(super) fn emit(model: &Model, shape_of: &ShapeOf, written: &Written<'_>) -> Emitted {
    let krate = &model.krate;
    let ident = &model.ident;
    let visibility = &model.visibility;
    let path = &shape_of.path;
    let ends = ends(path);
    let (start, end) = ends;
    let whole = whole_name(start);
    let embed = quote_spanned!(end=> #krate::Embed);
    let of_whole = |item: TokenStream| projection(path, &embed, &item, ends);
    let shape = of_whole(quote_spanned!(end=> SHAPE));
    // If the part has a key of its own, the other struct is not mentioned here: it may be
    // private, and an associated type of a public type must be public.
    let key_field = if model.key().is_empty() {
        quote!(#krate::__private::KeyOf<#path>)
    } else {
        quote!(#krate::__private::NoKey)
    };
    let children = of_whole(quote_spanned!(end=> children()));
    let own_of_whole = of_whole(quote_spanned!(end=> OWN));
    let next = of_whole(quote_spanned!(end=> shape_of()));
    let Written {
        id,
        name,
        table,
        filter,
        key,
    } = written;
    // A part without `table` takes that of the other struct. The default, `tb_<entity>`, does not
    // apply.
    let table = option(krate, shape_of.table.map(|_| table));
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
