//! The description of one field in the constant table.

use proc_macro2::TokenStream;
use quote::quote;

use super::names::{alias, part_name};
use super::tokens::{columns, function, option, optional_columns, order_by, scalar_type, table};
use crate::model::{
    Aggregate, Between, Field, Link, Many, Model, Promoted, RowValue, Source, Values,
};

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
                index,
                hidden,
            } = promoted;
            let unique = unique.is_some();
            quote!(#krate::schema::Promoted {
                column: #column, filter: #filter, sort: #sort, unique: #unique, index: #index,
                hidden: #hidden,
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
    let shape = quote!(#krate::schema::PartShape::Declared(<#part as #krate::Embed>::shape));
    match &field.source {
        Source::Column(column) => {
            let ty = scalar_type(krate, field);
            quote!(#krate::schema::Source::Column { column: #column, ty: #ty })
        }
        Source::Expr(expr) => {
            let ty = scalar_type(krate, field);
            quote!(#krate::schema::Source::Expr { expr: #expr, ty: #ty })
        }
        Source::GlobalId => {
            let ty = scalar_type(krate, field);
            quote!(#krate::schema::Source::GlobalId { ty: #ty })
        }
        Source::Through(column) => {
            let ty = scalar_type(krate, field);
            quote!(#krate::schema::Source::Through { column: #column, ty: #ty })
        }
        Source::One { fk, key } => {
            let fk = columns(krate, fk);
            let key = optional_columns(krate, key.as_ref());
            let ty = alias(field);
            let nullable = quote!(<#krate::__private::relation::One<#ty>>::NULLABLE);
            quote!(#krate::schema::Source::One(#krate::schema::One {
                fk: #fk, key: #key, nullable: #nullable, shape: #shape,
            }))
        }
        Source::Many(many) => {
            let many = self::many(model, many, &shape);
            quote!(#krate::schema::Source::Many(#many))
        }
        Source::First(first) => {
            let first = self::many(model, first, &shape);
            quote!(#krate::schema::Source::First(#first))
        }
        Source::Values(values) => self::values(model, field, values),
        Source::Aggregate(aggregate) => {
            let aggregate = self::aggregate(model, field, aggregate);
            quote!(#krate::schema::Source::Aggregate(#aggregate))
        }
        Source::OfGroup(of_group) => {
            let mut aggregate = of_group.clone();
            aggregate.table = model.table.clone();
            let aggregate = self::aggregate(model, field, &aggregate);
            quote!(#krate::schema::Source::OfGroup(#aggregate))
        }
    }
}

/// A `schema::Many`.
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
    let link = self::link(model, link);
    let key = optional_columns(krate, key.as_ref());
    let limit = option(krate, limit.as_ref());
    let filter = option(krate, filter.as_ref());
    let terms = terms.iter().map(|term| order_by(krate, term));
    quote!(#krate::schema::Many {
        link: #link, key: #key, order_by: &[#(#terms),*], limit: #limit,
        filter: #filter, shape: #shape,
    })
}

fn link(model: &Model, link: &Link) -> TokenStream {
    let krate = &model.krate;
    match link {
        Link::ForeignKey(fk) => {
            let fk = columns(krate, fk);
            quote!(#krate::schema::Link::ForeignKey(#fk))
        }
        Link::Through {
            table: join_table,
            fk,
            to,
            key,
            order_by: terms,
            span: _,
        } => {
            let join_table = table(krate, join_table);
            let (fk, to) = (columns(krate, fk), columns(krate, to));
            let key = optional_columns(krate, key.as_ref());
            let terms = terms.iter().map(|term| order_by(krate, term));
            quote!(#krate::schema::Link::Through {
                table: #join_table, fk: #fk, to: #to, key: #key, order_by: &[#(#terms),*],
            })
        }
    }
}

fn values(model: &Model, field: &Field, values: &Values) -> TokenStream {
    let krate = &model.krate;
    let Values {
        table: rows,
        link,
        key,
        value,
        distinct,
        order_by: terms,
        limit,
        filter,
    } = values;
    let rows = table(krate, rows);
    let link = self::link(model, link);
    let key = optional_columns(krate, key.as_ref());
    let value = match value {
        RowValue::Column(column) => quote!(#krate::schema::RowValue::Column(#column)),
        RowValue::Expr(expr) => quote!(#krate::schema::RowValue::Expr(#expr)),
    };
    let terms = terms.iter().map(|term| order_by(krate, term));
    let limit = option(krate, limit.as_ref());
    let filter = option(krate, filter.as_ref());
    let ty = scalar_type(krate, field);
    quote!(#krate::schema::Source::Values(#krate::schema::Values {
        table: #rows, link: #link, key: #key, value: #value, distinct: #distinct,
        order_by: &[#(#terms),*], limit: #limit, filter: #filter, ty: #ty,
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
        distinct,
        filter,
        through,
    } = aggregate;
    let function = function(krate, name);
    let rows = table(krate, rows);
    let fk = columns(krate, fk);
    let key = optional_columns(krate, key.as_ref());
    let expr = option(krate, expr.as_ref());
    let filter = option(krate, filter.as_ref());
    let through = option(
        krate,
        through.as_ref().map(|between| {
            let Between {
                table: rows,
                fk,
                key,
                filter,
            } = between;
            let rows = table(krate, rows);
            let (fk, key) = (columns(krate, fk), columns(krate, key));
            let filter = option(krate, filter.as_ref());
            quote!(#krate::schema::Between {
                table: #rows, fk: #fk, key: #key, filter: #filter,
            })
        }),
    );
    let ty = scalar_type(krate, field);
    quote!(#krate::schema::Aggregate {
        function: #function, table: #rows, fk: #fk, through: #through, key: #key, expr: #expr,
        distinct: #distinct, filter: #filter, ty: #ty,
    })
}
