//! Checks a struct with `TView` or `Embed` as a whole.

use darling::error::Accumulator;
use darling::{Error, Result};
use syn::{Data, DeriveInput, Fields};

use super::error::{error_at, fragment};
use super::fields::{CheckedFields, check_fields};
use super::{generics, global_id, group, index, key, names, parameters, shape_of, storage, tenant};
use crate::attr::{self, BoolValue, PartAttr, PartOnly, StrValue, ViewAttr};
use crate::docs;
use crate::model::{DeriveKind, Model, View};

/// A struct with mistakes in its attributes.
pub(crate) struct Mistakes {
    /// Every mistake, each at its token.
    pub(crate) errors: Error,
    /// The struct without the fields that have mistakes: the compiler checks the types of the others.
    /// `None` if it is generic, or has no named fields.
    pub(crate) rest: Option<Box<Model>>,
}

/// Checks a struct.
pub(crate) fn check(input: &DeriveInput, kind: DeriveKind) -> std::result::Result<Model, Mistakes> {
    let mut errors = Error::accumulator();
    generics::refuse_on_struct(input, kind, &mut errors);
    let (container, own) = struct_attributes(input, kind, &mut errors);
    let group_by = group::columns(&own, &mut errors);
    let CheckedFields {
        mut fields,
        keys,
        tenants,
        complete,
    } = match named_fields(input, kind) {
        Ok(fields) => check_fields(&fields, input, kind, own.group_by.is_some(), &mut errors),
        // Without fields, all other checks would report what follows from it.
        Err(error) => {
            return Err(Mistakes {
                errors: match errors.finish() {
                    Ok(()) => error,
                    Err(others) => Error::multiple(vec![others, error]),
                },
                rest: None,
            });
        }
    };
    if let Some(text) = &own.group_by {
        group::check(text, &group_by, &fields, &keys, &mut errors);
    }
    let shape_of = own.shape_of.and_then(|whole| {
        shape_of::check(whole, input, container.table.as_ref(), &keys, &mut errors)
    });
    // With `shape_of` and no field marked `key`, the key is that of the other struct. A field
    // `id` of the part is then not the key by its name.
    let may_have_key = own.group_by.is_none() && (shape_of.is_none() || !keys.is_empty());
    if may_have_key {
        key::choose(&mut fields, &keys, complete, input, kind, &mut errors);
    }
    tenant::check_one(&tenants, &fields, &mut errors);
    global_id::check_one(&fields, &mut errors);
    // After the key is known, because the key is a column of the view table already.
    names::promoted_columns(&mut fields, &mut errors);
    if complete
        && fields
            .iter()
            .all(|field| field.skipped || field.is_hidden())
    {
        errors.push(error_at(
            input.ident.span(),
            format!(
                "`{}` has no field in its document; a document needs at least one",
                input.ident
            ),
        ));
    }

    let entity = names::entity(input, &container, &mut errors);
    let plural = names::plural(&container, &entity, &mut errors);
    let table = names::table(container.table.as_ref(), "tb_", &entity, &mut errors);
    let view_table = names::table(container.view.as_ref(), "tv_", &entity, &mut errors);
    // With `shape_of`, the base table is that of the other struct.
    if shape_of.is_none() {
        names::check_default_tables(input, &container, &entity, kind, &mut errors);
    }
    let json_text = json_text(container.data.as_ref(), &mut errors);
    let eventual = eventual(container.sync.as_ref(), &mut errors);
    let storage = storage::check(&container, &mut errors);
    storage::check_unique_fields(&fields, &storage, &mut errors);
    let parameters = parameters::check(&container, &mut errors);
    parameters::check_unique_fields(&fields, &parameters, &mut errors);
    parameters::check_key(&fields, &parameters, &mut errors);
    let context = index::Context {
        fields: &fields,
        complete,
        json_text,
        bookkeeping: index::bookkeeping(storage),
        partitioned: parameters.partition.is_some(),
        by_tenant: parameters.is_by_tenant(),
        // Without a marked field, or with an invalid one.
        has_tenant: !tenants.is_empty(),
        table: &view_table.name,
    };
    let indexes = index::check(&container.index, &context, &mut errors);
    let type_name = names::type_name(input, container.type_name.as_ref(), &mut errors);
    let filter = fragment(container.filter.as_ref(), &mut errors);
    let model = Model {
        ident: input.ident.clone(),
        visibility: input.vis.clone(),
        krate: names::krate(container.krate),
        type_name,
        docs: docs::of(&input.attrs),
        table,
        filter,
        shape_of,
        group_by,
        serde: container.serde.is_none_or(|BoolValue(on)| on),
        fields,
        view: (kind == DeriveKind::View).then_some(View {
            table: view_table,
            entity,
            plural,
            json_text,
            eventual,
            storage,
            indexes,
            parameters,
        }),
    };
    match errors.finish() {
        Ok(()) => Ok(model),
        Err(errors) => Err(Mistakes {
            errors,
            rest: input.generics.params.is_empty().then(|| Box::new(model)),
        }),
    }
}

/// The attributes on the struct, and those that only a part has.
pub(crate) fn struct_attributes(
    input: &DeriveInput,
    kind: DeriveKind,
    errors: &mut Accumulator,
) -> (ViewAttr, PartOnly) {
    match kind {
        DeriveKind::View => (attr::read(&input.attrs, errors), PartOnly::default()),
        DeriveKind::Part => attr::read::<PartAttr>(&input.attrs, errors).split(),
    }
}

fn named_fields(input: &DeriveInput, kind: DeriveKind) -> Result<Vec<syn::Field>> {
    let derive = generics::derive_name(kind);
    let found = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => return Ok(fields.named.iter().cloned().collect()),
            Fields::Unnamed(_) => "a tuple struct",
            Fields::Unit => "a struct without fields",
        },
        Data::Enum(_) => "an enum",
        Data::Union(_) => "a union",
    };
    Err(error_at(
        input.ident.span(),
        format!(
            "{derive} needs a struct with named fields, because their names become the keys of \
             the document; `{}` is {found}",
            input.ident
        ),
    ))
}

/// Whether mutations leave the documents to the worker.
fn eventual(sync: Option<&StrValue>, errors: &mut Accumulator) -> bool {
    let Some(sync) = sync else { return false };
    match sync.value().as_str() {
        "commit" => false,
        "eventual" => true,
        other => {
            let message = format!(
                "unknown `sync` time `{other}`; it can be \"commit\", with the commit of a mutation, \
                 or \"eventual\", by the worker after it"
            );
            errors.push(error_at(sync.span(), message));
            false
        }
    }
}

/// Whether documents are stored as json.
fn json_text(data: Option<&StrValue>, errors: &mut Accumulator) -> bool {
    let Some(data) = data else { return false };
    match data.value().as_str() {
        "jsonb" => false,
        "json" => true,
        other => {
            let message =
                format!("unknown `data` format `{other}`; it can be \"jsonb\" or \"json\"");
            errors.push(error_at(data.span(), message));
            false
        }
    }
}
