//! The constant table.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use crate::emit::proofs::ends;
use crate::emit::{alias, shape_of};
use crate::model::{Aggregate, Field, Link, Many, Model, OrderBy, Promoted, Source, Table};

pub(crate) fn emit(model: &Model) -> TokenStream {
    let krate = &model.krate;
    let ident = &model.ident;
    let name = syn::ext::IdentExt::unraw(ident).to_string();
    let type_name = &model.type_name;
    let docs = option(model, model.docs.as_ref());
    let table_tokens = table(model, &model.table);
    let filter = option(model, model.filter.as_ref());
    let key = match model.key() {
        Some(field) => {
            let key = key(model, field);
            quote!(#krate::__private::std::option::Option::Some(#key))
        }
        None => quote!(#krate::__private::std::option::Option::None),
    };
    let key_field = match model.key() {
        Some(field) => alias(field).to_token_stream(),
        None => shape_of::key_field(model),
    };
    let fields = model.document().map(|one| field(model, one));
    let id = quote! {
        #krate::__private::std::concat!(
            #krate::__private::std::module_path!(), "::", #name, "@",
            #krate::__private::std::line!(), ":", #krate::__private::std::column!()
        )
    };
    let whole = model.shape_of.as_ref().map(|shape_of| {
        let own = shape_of::Own {
            id: &id,
            name: &name,
            table: &table_tokens,
            filter: &filter,
            key: &key,
        };
        shape_of::emit(model, shape_of, &own)
    });
    let (whole, items, [table_tokens, filter, key]) = match whole {
        Some(shape_of::Emitted {
            whole,
            items,
            shape,
        }) => (Some(whole), Some(items), shape),
        None => (None, None, [table_tokens, filter, key]),
    };
    let (parts, children): (Vec<_>, Vec<_>) = model
        .document()
        .enumerate()
        .filter_map(|(index, field)| {
            let (name, part) = part(model, field)?;
            Some((part, (name, index)))
        })
        .unzip();
    let children = if children.is_empty() {
        quote!(#krate::__private::End)
    } else {
        let list = children.into_iter().rev().fold(
            quote!(#krate::__private::End),
            |rest, (name, index)| quote!(#krate::__private::Child<#name, #index, #rest>),
        );
        quote!(<#list>::LIST)
    };
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
                table: #table_tokens,
                filter: #filter,
                key: #key,
                fields: &[#(#fields),*],
            };
            type KeyField = #key_field;
            fn children() -> impl #krate::__private::Children {
                #children
            }
            #items
        }
    }
}

pub(crate) fn table(model: &Model, table: &Table) -> TokenStream {
    let krate = &model.krate;
    let Table { schema, name } = table;
    quote!(#krate::schema::Table { schema: #schema, name: #name })
}

pub(crate) fn key(model: &Model, field: &Field) -> TokenStream {
    let krate = &model.krate;
    let column = match &field.source {
        Source::Column(column) => column.as_str(),
        _ => "",
    };
    let ty = scalar(model, field);
    quote!(#krate::schema::Key { column: #column, ty: #ty })
}

/// The scalar type of a field. A type that is none is reported by the proof of it.
fn scalar(model: &Model, field: &Field) -> TokenStream {
    let krate = &model.krate;
    let ty = alias(field);
    quote!(<#krate::__private::relation::Value<#ty>>::TYPE)
}

/// A type that stands for the part that a field holds, if it is an object or a list, and what
/// it is. It is the one place where the part is asked for, so that a type that has none is
/// one error, at the field.
fn part(model: &Model, field: &Field) -> Option<(Ident, TokenStream)> {
    let krate = &model.krate;
    let holder = holder(field)?;
    let name = part_name(field);
    let part = part_of(model, field, &holder);
    let (start, end) = ends(&field.ty);
    let asked = |item: TokenStream| {
        let open = quote_spanned!(start=> <);
        let close = quote_spanned!(end=> as #krate::Embed>::#item);
        quote!(#open #part #close)
    };
    let shape = asked(quote_spanned!(end=> SHAPE));
    let children = asked(quote_spanned!(end=> children()));
    // It is seen wherever the struct is.
    let visibility = &model.visibility;
    let part = quote! {
        #[doc(hidden)]
        #[allow(
            missing_docs,
            missing_debug_implementations,
            non_camel_case_types,
            unreachable_pub
        )]
        #visibility enum #name {}
        #[automatically_derived]
        impl #krate::Embed for #name {
            const SHAPE: &'static #krate::schema::Shape =
                #shape;
            type KeyField = #krate::__private::NoKey;
            fn children() -> impl #krate::__private::Children {
                #children
            }
        }
    };
    Some((name, part))
}

/// The part that a field's type holds, with the place of the type.
fn part_of(model: &Model, field: &Field, holder: &Ident) -> TokenStream {
    let krate = &model.krate;
    let ty = &field.ty;
    let (start, end) = ends(ty);
    let open = quote_spanned!(start=> <);
    let close = quote_spanned!(end=> as #krate::__private::#holder>::Part);
    quote!(#open #ty #close)
}

pub(crate) fn part_name(field: &Field) -> Ident {
    format_ident!("__Part_{}", field.name, span = field.ty.span())
}

/// The trait of the types that a relation's field can have.
pub(crate) fn holder(field: &Field) -> Option<Ident> {
    match field.source {
        Source::One { .. } => Some(format_ident!("OneField")),
        Source::Many(_) => Some(format_ident!("ManyField")),
        _ => None,
    }
}

pub(crate) fn option<T: ToTokens>(model: &Model, value: Option<T>) -> TokenStream {
    let krate = &model.krate;
    match value {
        Some(value) => quote!(#krate::__private::std::option::Option::Some(#value)),
        None => quote!(#krate::__private::std::option::Option::None),
    }
}

fn field(model: &Model, field: &Field) -> TokenStream {
    let krate = &model.krate;
    let Field { name, json, .. } = field;
    let docs = option(model, field.docs.as_ref());
    let source = source(model, field);
    let promoted = option(
        model,
        field.promoted.as_ref().map(|promoted| {
            let Promoted {
                column,
                filter,
                sort,
                unique,
            } = promoted;
            let unique = unique.is_some();
            quote!(#krate::schema::Promoted {
                column: #column, filter: #filter, sort: #sort, unique: #unique,
            })
        }),
    );
    quote!(#krate::schema::Field {
        name: #name,
        json: #json,
        docs: #docs,
        source: #source,
        promoted: #promoted,
    })
}

fn source(model: &Model, field: &Field) -> TokenStream {
    let krate = &model.krate;
    let part = part_name(field);
    let shape = quote!(<#part as #krate::Embed>::shape);
    match &field.source {
        Source::Column(column) => {
            let ty = scalar(model, field);
            quote!(#krate::schema::Source::Column { column: #column, ty: #ty })
        }
        Source::Expr(expr) => {
            let ty = scalar(model, field);
            quote!(#krate::schema::Source::Expr { expr: #expr, ty: #ty })
        }
        Source::One { fk, key } => {
            let key = option(model, key.as_ref());
            let ty = alias(field);
            let nullable = quote!(<#krate::__private::relation::One<#ty>>::NULLABLE);
            quote!(#krate::schema::Source::One(#krate::schema::One {
                fk: #fk, key: #key, nullable: #nullable, shape: #shape,
            }))
        }
        Source::Many(many) => {
            let Many {
                link,
                key,
                order_by,
                order_by_span: _,
                limit,
                filter,
            } = many;
            let link = match link {
                Link::ForeignKey(fk) => quote!(#krate::schema::Link::ForeignKey(#fk)),
                Link::Through {
                    table: join,
                    fk,
                    to,
                    key,
                } => {
                    let join = table(model, join);
                    let key = option(model, key.as_ref());
                    quote!(#krate::schema::Link::Through {
                        table: #join, fk: #fk, to: #to, key: #key,
                    })
                }
            };
            let key = option(model, key.as_ref());
            let limit = option(model, limit.as_ref());
            let filter = option(model, filter.as_ref());
            let order_by = order_by.iter().map(|term| self::order_by(model, term));
            quote!(#krate::schema::Source::Many(#krate::schema::Many {
                link: #link, key: #key, order_by: &[#(#order_by),*], limit: #limit,
                filter: #filter, shape: #shape,
            }))
        }
        Source::Aggregate(aggregate) => {
            let Aggregate {
                function,
                table: rows,
                fk,
                key,
                expr,
                filter,
            } = aggregate;
            let function = self::function(model, function);
            let rows = table(model, rows);
            let key = option(model, key.as_ref());
            let expr = option(model, expr.as_ref());
            let filter = option(model, filter.as_ref());
            let ty = scalar(model, field);
            quote!(#krate::schema::Source::Aggregate(#krate::schema::Aggregate {
                function: #function, table: #rows, fk: #fk, key: #key, expr: #expr,
                filter: #filter, ty: #ty,
            }))
        }
    }
}

/// A term of an order.
pub(crate) fn order_by(model: &Model, term: &OrderBy) -> TokenStream {
    let krate = &model.krate;
    let OrderBy {
        column,
        descending,
        nulls_first,
    } = term;
    let nulls_first = option(model, nulls_first.as_ref());
    quote!(#krate::schema::OrderBy {
        column: #column, descending: #descending, nulls_first: #nulls_first,
    })
}

pub(crate) fn function(model: &Model, name: &str) -> TokenStream {
    let krate = &model.krate;
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
