//! The description of one field in the constant table.

use proc_macro2::TokenStream;
use quote::quote;

use super::names::{alias, part_name};
use super::tokens::{function, option, order_by, scalar_type, table};
use crate::model::{Aggregate, Field, Link, Many, Model, Promoted, Source};

/// A `schema::Field`.
pub(super) fn emit(model: &Model, field: &Field) -> TokenStream {
    let krate = &model.krate;
    let Field { name, json, .. } = field;
    let docs = option(krate, field.docs.as_ref());
    let source = source(model, field);
    let promoted = option(
        krate,
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
    // The table of a part is referenced by a function, not by `&T::SHAPE`. Constants of cyclic
    // types would need each other to be evaluated, and the compiler would report that cycle
    // before the proof reports it with its path.
    let shape = quote!(<#part as #krate::Embed>::shape);
    match &field.source {
        Source::Column(column) => {
            let ty = scalar_type(krate, field);
            quote!(#krate::schema::Source::Column { column: #column, ty: #ty })
        }
        Source::Expr(expr) => {
            let ty = scalar_type(krate, field);
            quote!(#krate::schema::Source::Expr { expr: #expr, ty: #ty })
        }
        Source::One { fk, key } => {
            let key = option(krate, key.as_ref());
            let ty = alias(field);
            let nullable = quote!(<#krate::__private::relation::One<#ty>>::NULLABLE);
            quote!(#krate::schema::Source::One(#krate::schema::One {
                fk: #fk, key: #key, nullable: #nullable, shape: #shape,
            }))
        }
        Source::Many(many) => self::many(model, many, &shape),
        Source::Aggregate(aggregate) => self::aggregate(model, field, aggregate),
    }
}

fn many(model: &Model, many: &Many, shape: &TokenStream) -> TokenStream {
    let krate = &model.krate;
    let Many {
        link,
        key,
        order_by: terms,
        order_by_span: _,
        limit,
        filter,
    } = many;
    let link = match link {
        Link::ForeignKey(fk) => quote!(#krate::schema::Link::ForeignKey(#fk)),
        Link::Through {
            table: join_table,
            fk,
            to,
            key,
        } => {
            let join_table = table(krate, join_table);
            let key = option(krate, key.as_ref());
            quote!(#krate::schema::Link::Through {
                table: #join_table, fk: #fk, to: #to, key: #key,
            })
        }
    };
    let key = option(krate, key.as_ref());
    let limit = option(krate, limit.as_ref());
    let filter = option(krate, filter.as_ref());
    let terms = terms.iter().map(|term| order_by(krate, term));
    quote!(#krate::schema::Source::Many(#krate::schema::Many {
        link: #link, key: #key, order_by: &[#(#terms),*], limit: #limit,
        filter: #filter, shape: #shape,
    }))
}

fn aggregate(model: &Model, field: &Field, aggregate: &Aggregate) -> TokenStream {
    let krate = &model.krate;
    let Aggregate {
        function: name,
        table: rows,
        fk,
        key,
        expr,
        filter,
    } = aggregate;
    let function = function(krate, name);
    let rows = table(krate, rows);
    let key = option(krate, key.as_ref());
    let expr = option(krate, expr.as_ref());
    let filter = option(krate, filter.as_ref());
    let ty = scalar_type(krate, field);
    quote!(#krate::schema::Source::Aggregate(#krate::schema::Aggregate {
        function: #function, table: #rows, fk: #fk, key: #key, expr: #expr,
        filter: #filter, ty: #ty,
    }))
}
