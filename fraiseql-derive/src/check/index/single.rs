//! Checks one `index(..)`.

use darling::Result;
use darling::error::Accumulator;
use proc_macro2::Span;

use super::context::Context;
use super::{columns, document, expression};
use crate::attr::{Flag, FlagOrPath, IndexAttr, Nested, StrValue};
use crate::check::error::{error_at, parsed};
use crate::check::parameters::NOT_UNIQUE;
use crate::model::Index;
use crate::text;

/// Checks an index. Fails if it is not clear what it is on.
pub(super) fn check(
    nested: &Nested<IndexAttr>,
    context: &Context<'_>,
    errors: &mut Accumulator,
) -> Result<Index> {
    let args = &nested.args;
    // Exactly one of these attributes says what the index is on.
    let targets: Vec<(&str, Span)> = [
        ("on", args.on.as_ref().map(StrValue::span)),
        ("expr", args.expr.as_ref().map(StrValue::span)),
        ("gin", args.gin.as_ref().map(FlagOrPath::span)),
        ("fulltext", args.fulltext.as_ref().map(StrValue::span)),
    ]
    .into_iter()
    .filter_map(|(target, span)| Some((target, span?)))
    .collect();
    let (target, span) = match targets.as_slice() {
        [] => {
            return Err(error_at(
                nested.span,
                "an index needs one of `on`, `expr`, `gin` and `fulltext`: `index(on = \
                 \"author_id, created_at DESC\")`",
            ));
        }
        [only] => *only,
        [(first, _), (second, span), ..] => {
            return Err(error_at(
                *span,
                format!("`{first}` and `{second}` are two indexes: write an `index(..)` for each"),
            ));
        }
    };
    check_options(args, target, errors);
    let (on, stem) = match target {
        "on" => columns::on(args, context, errors),
        "expr" => expression::expr(args, context, errors),
        "gin" => document::gin(args, span, context, errors),
        _ => document::fulltext(args, context, errors),
    };
    let index = Index {
        name: parsed(args.name.as_ref(), text::identifier, errors),
        stem,
        on,
        unique: args.unique.is_some(),
        global: args.global.is_some(),
        filter: expression::check(args.filter.as_ref(), context.fields, errors),
        include: columns::include(args.include.as_ref(), context, errors),
    };
    if let Some(Flag(span)) = args.global {
        if !context.has_tenant {
            errors.push(error_at(
                span,
                "`global` is an index that does not begin with the tenant, and this view has no \
                 field with `tenant`: remove it",
            ));
        } else if target == "gin" || target == "fulltext" || args.using.is_some() {
            errors.push(error_at(
                span,
                "`global` is for indexes that begin with the tenant otherwise, which are those of \
                 the method btree: remove it",
            ));
        }
    }
    let begins_with_partition = context.by_tenant && args.global.is_none();
    if let (Some(Flag(span)), true) = (args.unique, context.partitioned)
        && !begins_with_partition
        && !columns::contain_key(&index.on, context)
    {
        errors.push(error_at(span, NOT_UNIQUE));
    }
    Ok(index)
}

/// Reports options that cannot be combined with what the index is on.
fn check_options(args: &IndexAttr, target: &str, errors: &mut Accumulator) {
    let gin = target == "gin" || target == "fulltext";
    if let (Some(Flag(span)), true) = (args.unique, gin) {
        errors.push(error_at(
            span,
            format!("`unique` cannot be combined with `{target}`: a GIN index cannot be unique"),
        ));
    }
    if let (Some(include), true) = (&args.include, gin) {
        errors.push(error_at(
            include.span(),
            format!(
                "`include` cannot be combined with `{target}`: a GIN index cannot include columns"
            ),
        ));
    }
    if let (Some(using), true) = (&args.using, target != "on") {
        errors.push(error_at(
            using.span(),
            format!("`using` is only allowed with `on`: the method of `{target}` is fixed"),
        ));
    }
    if let (Some(language), true) = (&args.language, target != "fulltext") {
        errors.push(error_at(
            language.span(),
            "`language` is only allowed with `fulltext`: it is the language of the words",
        ));
    }
}
