//! From what was written to what is meant, or to everything that is wrong with it.

use std::collections::HashMap;

use darling::ast::NestedMeta;
use darling::error::Accumulator;
use darling::{Error, Result};
use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{
    Attribute, Data, DeriveInput, Fields, GenericArgument, GenericParam, Ident, Meta, Path,
    PathArguments,
};

use crate::attr::{
    self, AggregateAttr, Arguments, Call, FieldAttr, ManyAttr, Mark, OneAttr, PartAttr, Receiver,
    Root, Switch, Text, ThroughAttr, ViewAttr,
};
use crate::case;
use crate::model::{Aggregate, Field, Kind, Link, Many, Model, Promoted, Source, Table, View};
use crate::text;

/// Columns that every view table has.
const BOOKKEEPING: [&str; 4] = ["data", "version", "synced_xid", "updated_at"];

/// Checks a struct. The error holds every mistake, each at its token.
pub(crate) fn check(input: &DeriveInput, kind: Kind) -> Result<Model> {
    let mut errors = Error::accumulator();
    check_generics(input, kind, &mut errors);
    let container = container(input, kind, &mut errors);
    let fields = match named_fields(input, kind) {
        Ok(fields) => fields,
        Err(error) => {
            errors.push(error);
            return Err(errors.finish().err().unwrap_or_else(nothing));
        }
    };

    let mut checked: Vec<Field> = Vec::new();
    let mut keys: Vec<(Span, usize)> = Vec::new();
    let mut json_keys: HashMap<String, Ident> = HashMap::new();
    let mut any_broken = false;
    for field in fields {
        let Some(ident) = field.ident.clone() else {
            continue;
        };
        let before = errors_of(&mut errors, |errors| {
            let attr: FieldAttr = read(&field.attrs, errors);
            if let Some(Mark(span)) = attr.key {
                keys.push((span, checked.len()));
            }
            // A generic struct was reported already, and its types with it.
            if attr.skip.is_none() && input.generics.params.is_empty() {
                check_type(&field.ty, errors);
            }
            field_model(&ident, &field.ty, &attr, kind, errors)
        });
        let Some(field) = before else {
            any_broken = true;
            continue;
        };
        if !field.skipped
            && let Some(first) = json_keys.get(&field.json)
        {
            errors.push(at(
                ident.span(),
                format!(
                    "`{}` and `{first}` both have the key `{}` in the document; give one of them \
                     another with `#[tview(json = \"..\")]`",
                    field.name, field.json
                ),
            ));
        } else if !field.skipped {
            json_keys.insert(field.json.clone(), ident.clone());
        }
        checked.push(field);
    }
    choose_key(&mut checked, &keys, input, kind, any_broken, &mut errors);
    check_columns(&mut checked, &mut errors);
    if !any_broken && checked.iter().all(|field| field.skipped) {
        errors.push(at(
            input.ident.span(),
            format!(
                "`{}` has no field that is in its document; a document has at least one",
                input.ident
            ),
        ));
    }

    let entity = entity(input, &container, &mut errors);
    let plural = plural(&container, &entity, &mut errors);
    let table = named_table(container.table.as_ref(), "tb_", &entity, &mut errors);
    let view_table = named_table(container.view.as_ref(), "tv_", &entity, &mut errors);
    check_default_names(input, &container, &entity, kind, &mut errors);
    let json_text = match container
        .data
        .as_ref()
        .map(|data| (data.value(), data.span()))
    {
        None => false,
        Some((data, _)) if data == "jsonb" => false,
        Some((data, _)) if data == "json" => true,
        Some((data, span)) => {
            errors.push(at(
                span,
                format!("unknown `data` format `{data}`; it can be \"jsonb\" or \"json\""),
            ));
            false
        }
    };
    let type_name = container
        .type_name
        .as_ref()
        .map_or_else(|| input.ident.unraw().to_string(), Text::value);
    if let Err(message) = text::graphql_name(&type_name, "type_name") {
        errors.push(at(
            container
                .type_name
                .as_ref()
                .map_or(input.ident.span(), Text::span),
            message,
        ));
    }
    let filter = fragment(container.filter.as_ref(), &mut errors);
    let model = Model {
        ident: input.ident.clone(),
        visibility: input.vis.clone(),
        krate: krate(container.krate),
        type_name,
        table,
        filter,
        serde: container.serde.is_none_or(|Switch(on)| on),
        fields: checked,
        view: (kind == Kind::View).then_some(View {
            table: view_table,
            entity,
            plural,
            json_text,
        }),
    };
    errors.finish_with(model)
}

/// Where the runtime is.
pub(crate) fn krate(root: Option<Root>) -> Path {
    root.map_or_else(|| syn::parse_quote!(::fraiseql_runtime), |root| root.0)
}

/// An error with a place.
fn at(span: Span, message: impl std::fmt::Display) -> Error {
    let mut error = Error::custom(message);
    // `with_span` takes something that has a span, and an identifier is one.
    error = error.with_span(&Ident::new("span", span));
    error
}

fn nothing() -> Error {
    Error::custom("the struct could not be read")
}

/// Runs a part of the check; its failure is remembered and does not stop the others.
fn errors_of<T>(
    errors: &mut Accumulator,
    part: impl FnOnce(&mut Accumulator) -> Result<T>,
) -> Option<T> {
    let mut own = Error::accumulator();
    let result = part(&mut own);
    let mut ok = true;
    if let Err(error) = own.finish() {
        errors.push(error);
        ok = false;
    }
    errors.handle(result).filter(|_| ok)
}

/// What stands in the `#[tview(..)]` attributes, and the errors of those that are no lists.
fn metas(attributes: &[Attribute]) -> (Vec<NestedMeta>, Vec<Error>) {
    let mut items = Vec::new();
    let mut errors = Vec::new();
    for attribute in attributes.iter().filter(|a| a.path().is_ident("tview")) {
        match &attribute.meta {
            Meta::List(list) => match NestedMeta::parse_meta_list(list.tokens.clone()) {
                Ok(list) => items.extend(list),
                Err(error) => errors.push(error.into()),
            },
            other => errors.push(
                Error::custom("write the attributes in parentheses: `#[tview(..)]`")
                    .with_span(other),
            ),
        }
    }
    (items, errors)
}

/// What the attributes say that can be read; what is wrong with the others is remembered.
pub(crate) fn read<T: Receiver>(attributes: &[Attribute], errors: &mut Accumulator) -> T {
    let (items, broken) = metas(attributes);
    for error in broken {
        errors.push(error);
    }
    attr::receive(items, errors)
}

pub(crate) fn container(input: &DeriveInput, kind: Kind, errors: &mut Accumulator) -> ViewAttr {
    match kind {
        Kind::View => read(&input.attrs, errors),
        Kind::Part => read::<PartAttr>(&input.attrs, errors).into(),
    }
}

/// The field's type, as far as its spelling tells: all else is asked of the compiler.
fn check_type(ty: &syn::Type, errors: &mut Accumulator) {
    if let syn::Type::Reference(_) = ty {
        errors.push(at(
            ty.span(),
            "a field owns its value, because it is read from a document: write `String` for \
             `&str`, `Vec<T>` for `&[T]`",
        ));
    }
    let nested = |name| argument(ty, name).is_some_and(|inner| argument(inner, name).is_some());
    if nested("Option") {
        errors.push(at(
            ty.span(),
            "an `Option` of an `Option`: SQL has only one null; write one `Option`",
        ));
    }
    if nested("Vec") {
        errors.push(at(
            ty.span(),
            "a `Vec` of a `Vec`: an array in PostgreSQL has no fixed number of dimensions; write \
             `serde_json::Value`, for a column of type jsonb",
        ));
    }
}

/// The `T` of `name<T>`.
fn argument<'a>(ty: &'a syn::Type, name: &str) -> Option<&'a syn::Type> {
    let syn::Type::Path(path) = ty else {
        return None;
    };
    let last = path
        .path
        .segments
        .last()
        .filter(|last| last.ident == name)?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    match arguments.args.first() {
        Some(GenericArgument::Type(ty)) => Some(ty),
        _ => None,
    }
}

fn check_generics(input: &DeriveInput, kind: Kind, errors: &mut Accumulator) {
    if input.generics.params.is_empty() {
        return;
    }
    let what = derive_name(kind);
    let borrows = input
        .generics
        .params
        .iter()
        .all(|param| matches!(param, GenericParam::Lifetime(_)));
    let why = if borrows {
        "structs that borrow: a document is read into fields that own their values; write \
         `String` for `&str`"
    } else {
        "generic structs: each has one table and one document; write the type out"
    };
    errors.push(
        Error::custom(format!("{what} does not work on {why}")).with_span(&input.generics.params),
    );
}

fn derive_name(kind: Kind) -> &'static str {
    match kind {
        Kind::View => "#[derive(TView)]",
        Kind::Part => "#[derive(Embed)]",
    }
}

fn named_fields(input: &DeriveInput, kind: Kind) -> Result<Vec<syn::Field>> {
    let what = derive_name(kind);
    let found = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => return Ok(fields.named.iter().cloned().collect()),
            Fields::Unnamed(_) => "a tuple struct",
            Fields::Unit => "a struct without fields",
        },
        Data::Enum(_) => "an enum",
        Data::Union(_) => "a union",
    };
    Err(at(
        input.ident.span(),
        format!(
            "{what} needs a struct with named fields, because their names become the keys of \
             the document; `{}` is {found}",
            input.ident
        ),
    ))
}

/// What a field's attributes mean.
fn field_model(
    ident: &Ident,
    ty: &syn::Type,
    attr: &FieldAttr,
    kind: Kind,
    errors: &mut Accumulator,
) -> Result<Field> {
    let name = ident.unraw().to_string();
    let json = attr
        .json
        .as_ref()
        .map_or_else(|| case::camel(&name), Text::value);
    if attr.skip.is_none()
        && let Err(message) = text::graphql_name(&json, "json")
    {
        errors.push(at(
            attr.json.as_ref().map_or(ident.span(), Text::span),
            message,
        ));
    }
    let column = checked(attr.column.as_ref(), text::identifier, errors).unwrap_or_else(|| {
        if attr.column.is_none()
            && sources(attr).is_empty()
            && let Err(message) = text::identifier(&name)
        {
            let message = format!("{message}; give the column with `column = \"..\"`");
            errors.push(at(ident.span(), message));
        }
        name.clone()
    });
    let sources = sources(attr);
    if let [_, (second, span), ..] = sources.as_slice() {
        let first = sources.first().map_or("", |(first, _)| first);
        errors.push(at(
            *span,
            format!("a field has one source: `{first}` and `{second}` cannot stand together"),
        ));
    }
    let is_relation = attr.one.is_some() || attr.many.is_some();
    if let (Some(column), Some((source, _))) = (&attr.column, sources.first()) {
        errors.push(at(
            column.span(),
            format!("`column` does not go with `{source}`, which says where the value comes from; leave \
                 `column` out"),
        ));
    }
    if let (Some(Mark(span)), Some((source, _))) = (attr.key, sources.first()) {
        errors.push(at(
            span,
            format!("a key is a column, and cannot be computed: `key` does not go with `{source}`"),
        ));
    }
    if let (Some(Mark(span)), Some((source, _))) = (attr.skip, sources.first()) {
        errors.push(at(
            span,
            format!(
                "`skip` leaves the field out of the document, so `{source}` would never be used"
            ),
        ));
    }
    let marks = [
        ("filter", attr.filter),
        ("sort", attr.sort),
        ("unique", attr.unique),
    ];
    for (mark, span) in marks {
        let Some(Mark(span)) = span else { continue };
        if kind == Kind::Part {
            errors.push(at(
                span,
                format!(
                    "`{mark}` makes a column of a view table, and a part has none; put it on a \
                     field of the view"
                ),
            ));
        } else if is_relation {
            errors.push(at(
                span,
                format!(
                    "`{mark}` makes a column of a view table, which holds one value; \
                     objects and lists stay in the document"
                ),
            ));
        } else if attr.skip.is_some() {
            errors.push(at(span, format!("`{mark}` does not go with `skip`")));
        }
    }
    let promoted = marks
        .iter()
        .any(|(_, mark)| mark.is_some())
        .then(|| Promoted {
            column: column.clone(),
            filter: attr.filter.is_some(),
            sort: attr.sort.is_some(),
            unique: attr.unique.is_some(),
        });
    let source = source(attr, &column, errors)?;
    Ok(Field {
        ident: ident.clone(),
        name,
        ty: ty.clone(),
        json,
        source,
        promoted,
        is_key: false,
        skipped: attr.skip.is_some(),
    })
}

/// The attributes that say where the value comes from, with their places.
pub(crate) fn sources(attr: &FieldAttr) -> Vec<(&'static str, Span)> {
    let mut sources = Vec::new();
    if let Some(expr) = &attr.expr {
        sources.push(("expr", expr.span()));
    }
    if let Some(one) = &attr.one {
        sources.push(("one", one.span));
    }
    if let Some(many) = &attr.many {
        sources.push(("many", many.span));
    }
    for (name, aggregate) in aggregates(attr) {
        if let Some(aggregate) = aggregate {
            sources.push((name, aggregate.span));
        }
    }
    sources
}

fn aggregates(attr: &FieldAttr) -> [(&'static str, Option<&Call<AggregateAttr>>); 6] {
    [
        ("count", attr.count.as_ref()),
        ("sum", attr.sum.as_ref()),
        ("avg", attr.avg.as_ref()),
        ("min", attr.min.as_ref()),
        ("max", attr.max.as_ref()),
        ("exists", attr.exists.as_ref()),
    ]
}

fn source(attr: &FieldAttr, column: &str, errors: &mut Accumulator) -> Result<Source> {
    if let Some(expr) = &attr.expr {
        let sql = fragment(Some(expr), errors);
        if sql.as_ref().is_some_and(|sql| !sql.contains("{}")) {
            errors.push(at(
                expr.span(),
                "write `{}` for the row: `expr = \"lower({}.title)\"`; a column without it \
                 could be taken from another table",
            ));
        }
        return Ok(Source::Expr(sql.unwrap_or_default()));
    }
    if let Some(one) = &attr.one {
        return one_source(one, errors);
    }
    if let Some(many) = &attr.many {
        return many_source(many, errors);
    }
    for (function, aggregate) in aggregates(attr) {
        if let Some(aggregate) = aggregate {
            return aggregate_source(function, aggregate, errors);
        }
    }
    Ok(Source::Column(column.to_owned()))
}

fn one_source(call: &Call<OneAttr>, errors: &mut Accumulator) -> Result<Source> {
    let fk = required(
        call.args.fk.as_ref(),
        call.span,
        "`one` needs the column that refers to the other row: `one(fk = \"author_id\")`",
    );
    let fk = errors
        .handle(fk)
        .map(|fk| checked(Some(fk), text::identifier, errors));
    Ok(Source::One {
        fk: fk.flatten().unwrap_or_default(),
        key: checked(call.args.key.as_ref(), text::identifier, errors),
    })
}

fn many_source(call: &Call<ManyAttr>, errors: &mut Accumulator) -> Result<Source> {
    let args = &call.args;
    let link = match (&args.fk, &args.through) {
        (Some(fk), None) => Link::ForeignKey(name(Some(fk), errors)),
        (None, Some(through)) => {
            let args = &through.args;
            let missing = [("table", &args.table), ("fk", &args.fk), ("to", &args.to)]
                .into_iter()
                .filter(|(_, value)| value.is_none())
                .map(|(name, _)| format!("`{name}`"))
                .collect::<Vec<_>>();
            if !missing.is_empty() {
                return Err(at(
                    through.span,
                    format!(
                        "`through` lacks {}: it takes the join table, its column that refers to \
                         this row, and its column that refers to the other: `through({})`",
                        missing.join(" and "),
                        ThroughAttr::example("through")
                    ),
                ));
            }
            Link::Through {
                table: checked(args.table.as_ref(), text::table, errors).unwrap_or_else(no_table),
                fk: name(args.fk.as_ref(), errors),
                to: name(args.to.as_ref(), errors),
            }
        }
        (Some(fk), Some(_)) => {
            return Err(at(
                fk.span(),
                "`fk` does not go with `through`, which has an `fk` of its own",
            ));
        }
        (None, None) => {
            return Err(at(
                call.span,
                "`many` needs the column of the other table that refers to this row: `many(fk = \
                 \"post_id\")`, or a join table: `many(through(table = \"tb_post_tag\", fk = \
                 \"post_id\", to = \"tag_id\"))`",
            ));
        }
    };
    let limit = args.limit.as_ref().and_then(|limit| {
        let number = limit.0.base10_parse::<u64>();
        match number {
            Ok(number) if number > 0 && i64::try_from(number).is_ok() => Some(number),
            _ => {
                errors.push(at(
                    limit.0.span(),
                    format!(
                        "`limit` is a whole number from 1 to {}; without it, the list has every \
                         row",
                        i64::MAX
                    ),
                ));
                None
            }
        }
    });
    Ok(Source::Many(Many {
        link,
        key: checked(args.key.as_ref(), text::identifier, errors),
        order_by: checked(args.order_by.as_ref(), text::order_by, errors).unwrap_or_default(),
        limit,
        filter: fragment(args.filter.as_ref(), errors),
    }))
}

fn aggregate_source(
    function: &'static str,
    call: &Call<AggregateAttr>,
    errors: &mut Accumulator,
) -> Result<Source> {
    let args = &call.args;
    let needs_expr = matches!(function, "sum" | "avg" | "min" | "max");
    let mut missing = Vec::new();
    if args.table.is_none() {
        missing.push("`table`, the table of the rows");
    }
    if args.fk.is_none() {
        missing.push("`fk`, their column that refers to this row");
    }
    if needs_expr && args.expr.is_none() {
        missing.push("`expr`, what to aggregate");
    }
    if !missing.is_empty() {
        let example = AggregateAttr::example(function);
        return Err(at(
            call.span,
            format!(
                "`{function}` lacks {}: `{function}({example})`",
                missing.join(", and ")
            ),
        ));
    }
    if function == "exists"
        && let Some(expr) = &args.expr
    {
        errors.push(at(
            expr.span(),
            "`exists` takes no `expr`; a condition on the rows is `filter = \"..\"`",
        ));
    }
    Ok(Source::Aggregate(Aggregate {
        function,
        table: checked(args.table.as_ref(), text::table, errors).unwrap_or_else(no_table),
        fk: name(args.fk.as_ref(), errors),
        key: checked(args.key.as_ref(), text::identifier, errors),
        expr: fragment(args.expr.as_ref(), errors),
        filter: fragment(args.filter.as_ref(), errors),
    }))
}

fn no_table() -> Table {
    Table {
        schema: String::new(),
        name: String::new(),
    }
}

fn required<'a>(text: Option<&'a Text>, span: Span, message: &str) -> Result<&'a Text> {
    text.ok_or_else(|| at(span, message))
}

/// Checks a text where there is one; what is wrong with it is remembered at its place.
fn checked<T>(
    text: Option<&Text>,
    check: fn(&str) -> std::result::Result<T, String>,
    errors: &mut Accumulator,
) -> Option<T> {
    let text = text?;
    match check(&text.value()) {
        Ok(value) => Some(value),
        Err(message) => {
            errors.push(at(text.span(), message));
            None
        }
    }
}

fn name(text: Option<&Text>, errors: &mut Accumulator) -> String {
    checked(text, text::identifier, errors).unwrap_or_default()
}

fn fragment(text: Option<&Text>, errors: &mut Accumulator) -> Option<String> {
    checked(text, text::fragment, errors)
}

/// The field marked `key`, or the one named `id`.
fn choose_key(
    fields: &mut [Field],
    marked: &[(Span, usize)],
    input: &DeriveInput,
    kind: Kind,
    any_broken: bool,
    errors: &mut Accumulator,
) {
    if let [_, (second, _), ..] = marked {
        errors.push(at(
            *second,
            "a struct has one key; mark one field with `key`",
        ));
    }
    let index = marked.first().map(|(_, index)| *index).or_else(|| {
        fields
            .iter()
            .position(|field| field.name == "id" && matches!(field.source, Source::Column(_)))
    });
    match index.and_then(|index| fields.get_mut(index)) {
        Some(field) => {
            field.is_key = true;
            // The key is a column of the view table already.
            field.promoted = None;
            if kind == Kind::View && field.skipped {
                errors.push(at(
                    field.ident.span(),
                    "the key of a view is in its documents, and cannot be skipped",
                ));
            }
        }
        None if kind == Kind::View && !any_broken && marked.is_empty() => {
            errors.push(at(
                input.ident.span(),
                format!(
                    "`{}` has no key: name a field `id`, or mark the one that identifies a row \
                     with `#[tview(key)]`",
                    input.ident
                ),
            ));
        }
        None => {}
    }
}

/// Names the promoted columns. One that has the name of a bookkeeping column gets `doc_`
/// before it.
fn check_columns(fields: &mut [Field], errors: &mut Accumulator) {
    let mut taken: HashMap<String, String> = HashMap::new();
    if let Some(key) = fields.iter().find(|field| field.is_key)
        && let Source::Column(column) = &key.source
    {
        if BOOKKEEPING.contains(&column.as_str()) {
            errors.push(at(
                key.ident.span(),
                format!("the key's column cannot be called `{column}`: every view table has a column of that name; rename it, or choose another key"),
            ));
        }
        taken.insert(column.clone(), key.name.clone());
    }
    for field in fields {
        let Some(promoted) = &mut field.promoted else {
            continue;
        };
        if BOOKKEEPING.contains(&promoted.column.as_str()) {
            promoted.column = format!("doc_{}", promoted.column);
        }
        if let Some(other) = taken.insert(promoted.column.clone(), field.name.clone()) {
            errors.push(at(
                field.ident.span(),
                format!(
                    "`{}` and `{other}` would both be the column `{}` of the view table; mark \
                     one of them with `filter`, `sort` or `unique`",
                    field.name, promoted.column
                ),
            ));
        }
    }
}

fn entity(input: &DeriveInput, container: &ViewAttr, errors: &mut Accumulator) -> String {
    let Some(text) = &container.entity else {
        return case::snake(&input.ident.unraw().to_string());
    };
    function_name(text, "entity", errors)
}

fn plural(container: &ViewAttr, entity: &str, errors: &mut Accumulator) -> String {
    match &container.plural {
        None => case::plural(entity),
        Some(text) => function_name(text, "plural", errors),
    }
}

/// A part of a function's name.
fn function_name(text: &Text, attribute: &str, errors: &mut Accumulator) -> String {
    let name = text.value();
    if is_function_name(&name) {
        return name;
    }
    let example = if attribute == "plural" {
        "blog_posts"
    } else {
        "blog_post"
    };
    errors.push(at(
        text.span(),
        format!(
            "`{attribute}` becomes a part of function names, so it has letters, digits and `_` \
             only: `{attribute} = \"{example}\"`"
        ),
    ));
    "invalid".to_owned()
}

/// Whether `sync_` and the name are one: so that keywords are fine.
pub(crate) fn is_function_name(name: &str) -> bool {
    !name.is_empty() && syn::parse_str::<Ident>(&format!("sync_{name}")).is_ok()
}

fn named_table(text: Option<&Text>, prefix: &str, entity: &str, errors: &mut Accumulator) -> Table {
    if text.is_some() {
        return checked(text, text::table, errors).unwrap_or_else(no_table);
    }
    Table {
        schema: "public".to_owned(),
        name: format!("{prefix}{entity}"),
    }
}

/// The names of tables that were not written but made of the entity's.
fn check_default_names(
    input: &DeriveInput,
    container: &ViewAttr,
    entity: &str,
    kind: Kind,
    errors: &mut Accumulator,
) {
    let made = [
        ("table", "tb_", container.table.is_none()),
        (
            "view",
            "tv_",
            container.view.is_none() && kind == Kind::View,
        ),
    ];
    let made: Vec<_> = made.iter().filter(|(_, _, made)| *made).collect();
    let Some((_, prefix, _)) = made.first() else {
        return;
    };
    if let Err(message) = text::identifier(&format!("{prefix}{entity}")) {
        let attributes: Vec<String> = made
            .iter()
            .map(|(attribute, ..)| format!("`{attribute} = \"..\"`"))
            .collect();
        let span = container
            .entity
            .as_ref()
            .map_or(input.ident.span(), Text::span);
        let message = format!("{message}; give another with {}", attributes.join(" and "));
        errors.push(at(span, message));
    }
}
