//! What `index(..)` means: on which columns of the view table, or which parts of its
//! documents.

use std::collections::HashMap;

use darling::error::Accumulator;
use proc_macro2::Span;

use super::error::{at, checked, unbroken};
use super::view_sql;
use crate::attr::{Call, IndexAttr, Text, WholeOrPath, Word};
use crate::model::{Field, Index, IndexOn, JsonPath, OrderBy, SearchText};
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

/// The text search configurations that PostgreSQL has.
const LANGUAGES: [&str; 29] = [
    "simple",
    "arabic",
    "armenian",
    "basque",
    "catalan",
    "danish",
    "dutch",
    "english",
    "finnish",
    "french",
    "german",
    "greek",
    "hindi",
    "hungarian",
    "indonesian",
    "irish",
    "italian",
    "lithuanian",
    "nepali",
    "norwegian",
    "portuguese",
    "romanian",
    "russian",
    "serbian",
    "spanish",
    "swedish",
    "tamil",
    "turkish",
    "yiddish",
];

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
        "gin" => on_document(args, span, context, errors),
        _ => fulltext(args, context, errors),
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

fn on_document(
    args: &IndexAttr,
    span: Span,
    context: &Context<'_>,
    errors: &mut Accumulator,
) -> (IndexOn, String) {
    if context.json_text {
        errors.push(at(
            span,
            "`gin` needs `data = \"jsonb\"` (the default): documents stored as `json` are text, \
             which PostgreSQL cannot index; leave `data = \"json\"` out, or promote what is \
             searched with `filter`",
        ));
    }
    let path = match &args.gin {
        Some(WholeOrPath::Path(text)) => path(&text.value(), text.span(), context, errors),
        _ => None,
    };
    let stem = path
        .as_ref()
        .map_or_else(|| "data".to_owned(), |path| path.keys.join("_"));
    (IndexOn::Gin(path), stem)
}

fn fulltext(
    args: &IndexAttr,
    context: &Context<'_>,
    errors: &mut Accumulator,
) -> (IndexOn, String) {
    let mut texts = Vec::new();
    let mut stem = String::new();
    if let Some(list) = &args.fulltext {
        for part in list.value().split(',').map(str::trim) {
            stem.push_str(&part.replace('.', "_"));
            stem.push('_');
            let promoted = context.fields.iter().find_map(|field| {
                let promoted = field.promoted.as_ref()?;
                (field.name == part || promoted.column == part).then_some((field, promoted))
            });
            if let Some((field, promoted)) = promoted {
                texts.push(SearchText::Column {
                    name: promoted.column.clone(),
                    field: field.name.clone(),
                    span: list.span(),
                });
            } else if let Some(path) = path(part, list.span(), context, errors) {
                texts.push(SearchText::Document(path));
            }
        }
    }
    let language = language(args.language.as_ref(), errors);
    (
        IndexOn::FullText { texts, language },
        format!("{stem}search"),
    )
}

/// A language of PostgreSQL, or a configuration in another schema, as the text of a `regconfig`.
fn language(text: Option<&Text>, errors: &mut Accumulator) -> String {
    let Some(text) = text else {
        return "pg_catalog.simple".to_owned();
    };
    let name = text.value();
    if LANGUAGES.contains(&name.as_str()) {
        return format!("pg_catalog.{name}");
    }
    if name.contains('.') {
        let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        return checked(Some(text), text::table, errors).map_or_else(String::new, |table| {
            format!("{}.{}", quoted(&table.schema), quoted(&table.name))
        });
    }
    errors.push(at(
        text.span(),
        format!(
            "PostgreSQL has no text search configuration `{name}`; there are {}; one of your \
             own is written with its schema: \"public.{name}\"",
            LANGUAGES.join(", ")
        ),
    ));
    String::new()
}

/// A path in the document, whose first key must be there.
fn path(
    text: &str,
    span: Span,
    context: &Context<'_>,
    errors: &mut Accumulator,
) -> Option<JsonPath> {
    let keys: Vec<String> = text.split('.').map(|key| key.trim().to_owned()).collect();
    let first = keys.first()?;
    if keys.iter().any(String::is_empty) {
        errors.push(at(
            span,
            format!(
                "`{text}` is no path: write keys of the document with dots between them: \
                 \"author.tags\""
            ),
        ));
        return None;
    }
    let document = || context.fields.iter().filter(|field| !field.skipped);
    let Some(field) = document().find(|field| field.json == *first) else {
        if context.complete {
            let message = match document().find(|field| field.name == *first) {
                Some(field) => format!(
                    "`{first}` is the field, and its key in the document is `{0}`: write `{0}`",
                    field.json
                ),
                None => format!(
                    "the document has no key `{first}`; there are {}",
                    list(document().map(|field| field.json.as_str()))
                ),
            };
            errors.push(at(span, message));
        }
        return None;
    };
    if keys.len() > 1 && field.holds_list() {
        errors.push(at(
            span,
            format!(
                "`{first}` is a list, and a path does not lead into lists; index the whole of \
                 it, and search with `data -> '{first}' @> '[{{..}}]'`: `gin = \"{first}\"`"
            ),
        ));
        return None;
    }
    Some(JsonPath {
        field: field.name.clone(),
        keys,
        span,
    })
}

/// Columns of the view table in an order.
fn columns(text: Option<&Text>, context: &Context<'_>, errors: &mut Accumulator) -> Vec<OrderBy> {
    let Some(text) = text else { return Vec::new() };
    let Some(terms) = checked(Some(text), index_order, errors) else {
        return Vec::new();
    };
    let mut columns: Vec<OrderBy> = Vec::new();
    for mut term in terms {
        match column(&term.column, context) {
            Ok(column) => term.column = column,
            Err(Some(message)) => errors.push(at(text.span(), message)),
            Err(None) => {}
        }
        if columns.iter().any(|other| other.column == term.column) {
            errors.push(at(
                text.span(),
                format!("the column `{}` is there twice", term.column),
            ));
        }
        columns.push(term);
    }
    columns
}

fn index_order(text: &str) -> Result<Vec<OrderBy>, String> {
    text::order_by(text).map_err(|message| {
        message.replace(
            "An expression can be a field with `expr`, or a generated column of the table",
            "An expression is `index(expr = \"..\")`",
        )
    })
}

fn include(text: Option<&Text>, context: &Context<'_>, errors: &mut Accumulator) -> Vec<String> {
    let columns = columns(text, context, errors);
    if let Some(text) = text
        && columns
            .iter()
            .any(|term| term.descending || term.nulls_first.is_some())
    {
        errors.push(at(
            text.span(),
            "columns that are included have no order; write their names alone",
        ));
    }
    columns.into_iter().map(|term| term.column).collect()
}

/// The column of the view table that a name means: a promoted field by its name in Rust, or a
/// column by its own. Nothing is said where the field may be one with errors.
fn column(name: &str, context: &Context<'_>) -> Result<String, Option<String>> {
    let columns = || {
        context
            .fields
            .iter()
            .filter_map(|field| match &field.promoted {
                Some(promoted) => Some((field.name.as_str(), promoted.column.as_str())),
                None if field.is_key => Some((field.name.as_str(), field.source_column()?)),
                None => None,
            })
    };
    let found = columns()
        .find(|(field, _)| *field == name)
        .or_else(|| columns().find(|(_, column)| *column == name));
    if let Some((_, column)) = found {
        return Ok(column.to_owned());
    }
    if name == "updated_at" || name == "version" {
        return Ok(name.to_owned());
    }
    if !context.complete {
        return Err(None);
    }
    let fields = || context.fields.iter().filter(|field| !field.skipped);
    let field = fields().find(|field| field.name == name || field.source_column() == Some(name));
    let columns = list(
        columns()
            .map(|(_, column)| column)
            .chain(["updated_at", "version"]),
    );
    Err(Some(match field {
        Some(field) => format!("{}; there are {columns}", view_sql::not_a_column(field)),
        None => format!(
            "the view table has no column `{name}`; there are {columns}, and each field marked \
             with `filter` or `sort` is one more"
        ),
    }))
}

fn contains_key(on: &IndexOn, context: &Context<'_>) -> bool {
    let key = context.fields.iter().find(|field| field.is_key);
    match (on, key.and_then(Field::source_column)) {
        (IndexOn::Columns { columns, .. }, Some(key)) => {
            columns.iter().any(|term| term.column == key)
        }
        // Without a key there was an error.
        (_, key) => key.is_none(),
    }
}

/// "`a` and `b`".
fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        Some((last, first)) if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        _ => names.concat(),
    }
}
