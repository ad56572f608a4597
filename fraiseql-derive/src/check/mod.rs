//! From what was written to what is meant, or to everything that is wrong with it. Here the
//! struct as a whole.

mod document;
mod enumeration;
mod error;
mod field;
mod index;
mod names;
mod newtype;
mod shape_of;
mod source;
mod storage;
mod types;
mod view_columns;
mod view_sql;

use std::collections::HashMap;

use darling::error::Accumulator;
use darling::{Error, Result};
use proc_macro2::Span;
use syn::{Data, DeriveInput, Fields, GenericParam, Ident};

use self::error::{at, fragment, unbroken};
use crate::attr::{self, FieldAttr, Mark, PartAttr, Struct, Switch, Text, ViewAttr};
use crate::docs;
use crate::model::{Field, Kind, Model, Source, View};

pub(crate) use self::enumeration::check as check_enumeration;
pub(crate) use self::names::{is_function_name, krate};
pub(crate) use self::newtype::check as check_newtype;
pub(crate) use self::source::sources;
pub(crate) use self::types::refused;

/// Checks a struct. The error holds every mistake, each at its token.
pub(crate) fn check(input: &DeriveInput, kind: Kind) -> Result<Model> {
    let mut errors = Error::accumulator();
    check_generics(input, kind, &mut errors);
    let (container, shape_of) = container(input, kind, &mut errors);
    let Written {
        mut fields,
        keys,
        complete,
    } = match named_fields(input, kind) {
        Ok(fields) => written(&fields, input, kind, &mut errors),
        Err(error) => {
            return Err(match errors.finish() {
                Ok(()) => error,
                Err(others) => Error::multiple(vec![others, error]),
            });
        }
    };
    let shape_of = shape_of.and_then(|whole| {
        shape_of::check(whole, input, container.table.as_ref(), &keys, &mut errors)
    });
    // Of a shape of another struct, the key is that struct's.
    if shape_of.is_none() || !keys.is_empty() {
        choose_key(&mut fields, &keys, complete, input, kind, &mut errors);
    }
    names::promoted_columns(&mut fields, &mut errors);
    if complete && fields.iter().all(|field| field.skipped) {
        errors.push(at(
            input.ident.span(),
            format!(
                "`{}` has no field that is in its document; a document has at least one",
                input.ident
            ),
        ));
    }

    let entity = names::entity(input, &container, &mut errors);
    let plural = names::plural(&container, &entity, &mut errors);
    let table = names::table(container.table.as_ref(), "tb_", &entity, &mut errors);
    let view_table = names::table(container.view.as_ref(), "tv_", &entity, &mut errors);
    if shape_of.is_none() {
        names::check_default_names(input, &container, &entity, kind, &mut errors);
    }
    let json_text = json_text(container.data.as_ref(), &mut errors);
    let storage = storage::check(&container, &mut errors);
    storage::check_unique(&fields, &storage, &mut errors);
    let context = index::Context {
        fields: &fields,
        complete,
        json_text,
        partitioned: storage.partition.is_some(),
        table: &view_table.name,
    };
    let indexes = index::check(&container.index, &context, &mut errors);
    let type_name = names::type_name(input, container.type_name.as_ref(), &mut errors);
    let filter = fragment(container.filter.as_ref(), &mut errors);
    errors.finish_with(Model {
        ident: input.ident.clone(),
        visibility: input.vis.clone(),
        krate: krate(container.krate),
        type_name,
        docs: docs::of(&input.attrs),
        table,
        filter,
        shape_of,
        serde: container.serde.is_none_or(|Switch(on)| on),
        fields,
        view: (kind == Kind::View).then_some(View {
            table: view_table,
            entity,
            plural,
            json_text,
            indexes,
            storage,
        }),
    })
}

/// What is written on the fields.
#[derive(Default)]
struct Written {
    /// Those with nothing wrong.
    fields: Vec<Field>,
    /// Those marked `key`, right or wrong, with the places of the marks.
    keys: Vec<(Ident, Span)>,
    /// Whether they are all right.
    complete: bool,
}

fn written(
    fields: &[syn::Field],
    input: &DeriveInput,
    kind: Kind,
    errors: &mut Accumulator,
) -> Written {
    let mut written = Written {
        complete: true,
        ..Written::default()
    };
    let mut json_keys: HashMap<String, Ident> = HashMap::new();
    for field in fields {
        let (Some(ident), ty) = (&field.ident, &field.ty) else {
            continue;
        };
        let right = unbroken(errors, |errors| {
            let attr: FieldAttr = attr::read(&field.attrs, errors);
            if let Some(Mark(span)) = attr.key {
                written.keys.push((ident.clone(), span));
            }
            // A generic struct was reported already, and its types with it.
            if attr.skip.is_none() && input.generics.params.is_empty() {
                field::check_type(ty, errors);
            }
            let checked = field::check(ident, ty, &attr, kind, errors)?;
            Ok(Field {
                docs: docs::of(&field.attrs),
                ..checked
            })
        });
        let Some(field) = right else {
            written.complete = false;
            continue;
        };
        if !field.skipped {
            if let Some(first) = json_keys.get(&field.json) {
                errors.push(at(
                    ident.span(),
                    format!(
                        "`{}` and `{first}` both have the key `{}` in the document; give one of \
                         them another with `#[tview(json = \"..\")]`",
                        field.name, field.json
                    ),
                ));
            } else {
                json_keys.insert(field.json.clone(), ident.clone());
            }
        }
        written.fields.push(field);
    }
    written
}

/// Whether documents are stored as text.
fn json_text(data: Option<&Text>, errors: &mut Accumulator) -> bool {
    let Some(data) = data else { return false };
    match data.value().as_str() {
        "jsonb" => false,
        "json" => true,
        other => {
            let message =
                format!("unknown `data` format `{other}`; it can be \"jsonb\" or \"json\"");
            errors.push(at(data.span(), message));
            false
        }
    }
}

/// What is written on the struct.
pub(crate) fn container(
    input: &DeriveInput,
    kind: Kind,
    errors: &mut Accumulator,
) -> (ViewAttr, Option<Struct>) {
    match kind {
        Kind::View => (attr::read(&input.attrs, errors), None),
        Kind::Part => {
            let mut part: PartAttr = attr::read(&input.attrs, errors);
            let shape_of = part.shape_of.take();
            (part.into(), shape_of)
        }
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

/// Whether there are generic parameters, which are an error.
fn generics(input: &DeriveInput, message: &'static str, errors: &mut Accumulator) -> bool {
    let generic = !input.generics.params.is_empty();
    if generic {
        errors.push(Error::custom(message).with_span(&input.generics.params));
    }
    generic
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

/// The field marked `key`, or the one named `id`.
fn choose_key(
    fields: &mut [Field],
    marked: &[(Ident, Span)],
    complete: bool,
    input: &DeriveInput,
    kind: Kind,
    errors: &mut Accumulator,
) {
    if let [_, (_, second), ..] = marked {
        errors.push(at(
            *second,
            "a struct has one key; mark one field with `key`",
        ));
    }
    let key = fields.iter_mut().find(|field| match marked.first() {
        Some((marked, _)) => field.ident == *marked,
        None => field.name == "id" && matches!(field.source, Source::Column(_)),
    });
    match key {
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
        None if kind == Kind::View && complete && marked.is_empty() => {
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
