//! What `index(..)` means: on which columns of the view table, or which parts of its
//! documents.

use std::collections::HashMap;

use darling::error::Accumulator;
use proc_macro2::Span;

use super::error::{at, checked, unbroken};
use super::view_columns::{columns, contains_key, include};
use super::{document, view_sql};
use crate::attr::{Call, IndexAttr, Text, WholeOrPath, Word};
use crate::model::{Field, Index, IndexOn};
use crate::text;

/// What the indexes of a view are checked against.
pub(super) struct Context<'a> {
    pub(super) fields: &'a [Field],
    /// Whether these are all the fields: if not, a name may be one of those with errors.
    pub(super) complete: bool,
    pub(super) json_text: bool,
    pub(super) partitioned: bool,
    /// The view table.
    pub(super) table: &'a str,
}

const FORM: &str = "an index is `on` columns, on an `expr`, a `gin` of the document, or a \
                    `fulltext`: `index(on = \"author_id, created_at DESC\")`";

/// Every index, and whether no two have one name.
pub(super) fn check(
    calls: &[Call<IndexAttr>],
    context: &Context<'_>,
    errors: &mut Accumulator,
) -> Vec<Index> {
    let table = context.table;
    let made = |stem: &str| format!("{table}_{stem}_idx");
    // The indexes that fields have by themselves.
    let mut names: HashMap<String, String> = context
        .fields
        .iter()
        .filter_map(|field| {
            let column = &field.promoted.as_ref()?.column;
            let whose = format!("the index that the field `{}` has by itself", field.name);
            Some((made(column), whose))
        })
        .collect();
    names.insert(format!("{table}_pkey"), "the primary key".to_owned());
    let mut indexes = Vec::new();
    for call in calls {
        let Some(index) = unbroken(errors, |errors| one(call, context, errors)) else {
            continue;
        };
        let name = index.name.clone().unwrap_or_else(|| made(&index.stem));
        if let Some(other) = names.insert(name.clone(), "another index".to_owned()) {
            let span = call.args.name.as_ref().map_or(call.span, Text::span);
            errors.push(at(
                span,
                format!(
                    "this index would be called `{name}`, as {other} is; leave one of them out, \
                     or give this one a name of its own with `name = \"..\"`"
                ),
            ));
        }
        indexes.push(index);
    }
    indexes
}

fn one(
    call: &Call<IndexAttr>,
    context: &Context<'_>,
    errors: &mut Accumulator,
) -> darling::Result<Index> {
    let args = &call.args;
    let kinds: Vec<(&str, Span)> = [
        ("on", args.on.as_ref().map(Text::span)),
        ("expr", args.expr.as_ref().map(Text::span)),
        (
            "gin",
            args.gin.as_ref().map(|gin| match gin {
                WholeOrPath::Whole(span) => *span,
                WholeOrPath::Path(path) => path.span(),
            }),
        ),
        ("fulltext", args.fulltext.as_ref().map(Text::span)),
    ]
    .into_iter()
    .filter_map(|(kind, span)| Some((kind, span?)))
    .collect();
    let (kind, span) = match kinds.as_slice() {
        [] => return Err(at(call.span, FORM)),
        [one] => *one,
        [(first, _), (second, span), ..] => {
            return Err(at(
                *span,
                format!("`{first}` and `{second}` are two indexes; write two `index(..)`"),
            ));
        }
    };
    check_options(args, kind, errors);
    let (on, stem) = match kind {
        "on" => on_columns(args, context, errors),
        "expr" => on_expression(args, context, errors),
        "gin" => document::on_document(args, span, context, errors),
        _ => document::fulltext(args, context, errors),
    };
    let index = Index {
        name: checked(args.name.as_ref(), text::identifier, errors),
        stem,
        on,
        unique: args.unique.is_some(),
        filter: view_sql::check(args.filter.as_ref(), context.fields, errors),
        include: include(args.include.as_ref(), context, errors),
    };
    if let (Some(Word(span)), true) = (args.unique, context.partitioned)
        && !contains_key(&index.on, context)
    {
        errors.push(at(span, super::storage::NOT_UNIQUE));
    }
    Ok(index)
}

/// Options that do not go with this kind of index.
fn check_options(args: &IndexAttr, kind: &str, errors: &mut Accumulator) {
    let gin = kind == "gin" || kind == "fulltext";
    if let (Some(Word(span)), true) = (args.unique, gin) {
        errors.push(at(
            span,
            format!("`unique` does not go with `{kind}`: a GIN index cannot be unique"),
        ));
    }
    if let (Some(include), true) = (&args.include, gin) {
        errors.push(at(
            include.span(),
            format!("`include` does not go with `{kind}`: a GIN index has no other columns"),
        ));
    }
    if let (Some(using), true) = (&args.using, kind != "on") {
        errors.push(at(
            using.span(),
            format!("`using` goes with `on`; `{kind}` has its method already"),
        ));
    }
    if let (Some(language), true) = (&args.language, kind != "fulltext") {
        errors.push(at(
            language.span(),
            "`language` goes with `fulltext`, whose words it tells apart",
        ));
    }
}

fn on_columns(
    args: &IndexAttr,
    context: &Context<'_>,
    errors: &mut Accumulator,
) -> (IndexOn, String) {
    let method = method(args, errors);
    let columns = columns(args.on.as_ref(), context, errors);
    let stem: Vec<&str> = columns.iter().map(|term| term.column.as_str()).collect();
    let stem = stem.join("_");
    if let Some(on) = &args.on
        && method != "btree"
    {
        if columns
            .iter()
            .any(|term| term.descending || term.nulls_first.is_some())
        {
            errors.push(at(
                on.span(),
                format!(
                    "a {method} index has no order; write the columns without ASC, DESC and NULLS"
                ),
            ));
        }
        if method == "hash" && columns.len() > 1 {
            errors.push(at(
                on.span(),
                "a hash index has one column; write a btree, without `using`",
            ));
        }
        for (option, span) in [
            ("unique", args.unique.map(|Word(span)| span)),
            ("include", args.include.as_ref().map(Text::span)),
        ] {
            if let Some(span) = span {
                errors.push(at(
                    span,
                    format!(
                        "`{option}` does not go with `using = \"{method}\"`; it needs a btree, \
                         which is the default"
                    ),
                ));
            }
        }
    }
    (IndexOn::Columns { method, columns }, stem)
}

fn method(args: &IndexAttr, errors: &mut Accumulator) -> &'static str {
    let Some(using) = &args.using else {
        return "btree";
    };
    match using.value().as_str() {
        "btree" => "btree",
        "brin" => "brin",
        "hash" => "hash",
        "gin" => {
            errors.push(at(
                using.span(),
                "a GIN index is on the document: write `index(gin)`, `index(gin = \"tags\")` or \
                 `index(fulltext = \"title\")`",
            ));
            "btree"
        }
        other => {
            errors.push(at(
                using.span(),
                format!(
                    "unknown method `{other}`; it can be \"btree\" (the default), \"brin\" or \
                     \"hash\""
                ),
            ));
            "btree"
        }
    }
}

fn on_expression(
    args: &IndexAttr,
    context: &Context<'_>,
    errors: &mut Accumulator,
) -> (IndexOn, String) {
    let sql = view_sql::check(args.expr.as_ref(), context.fields, errors).unwrap_or_default();
    if let Some(expr) = &args.expr
        && view_sql::is_a_list(&sql)
    {
        errors.push(at(
            expr.span(),
            "`expr` is one expression; columns separated by commas are `on = \"..\"`",
        ));
    }
    let stem = view_sql::stem(&sql);
    (IndexOn::Expr(sql), stem)
}
