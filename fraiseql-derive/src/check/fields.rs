//! Checks all fields of a struct: each by itself, and their JSON keys against each other.

use std::collections::HashMap;

use darling::error::Accumulator;
use proc_macro2::Span;
use syn::{DeriveInput, Ident};

use super::error::{error_at, if_valid};
use super::field;
use crate::attr::{self, FieldAttr, FieldFlag};
use crate::docs;
use crate::model::{DeriveKind, Field};

/// The fields of a struct after each was checked.
#[derive(Default)]
pub(super) struct CheckedFields {
    /// The valid fields.
    pub(super) fields: Vec<Field>,
    /// The fields marked `key`, valid or not, with the spans of the marks.
    pub(super) keys: Vec<(Ident, Span)>,
    /// The fields marked `tenant`, likewise.
    pub(super) tenants: Vec<(Ident, Span)>,
    /// Whether all fields are valid. If not, a name that is missing in `fields` may be that of an
    /// invalid field, and is not reported.
    pub(super) complete: bool,
}

/// Checks the fields.
pub(super) fn check_fields(
    fields: &[syn::Field],
    input: &DeriveInput,
    kind: DeriveKind,
    grouped: bool,
    errors: &mut Accumulator,
) -> CheckedFields {
    let mut checked = CheckedFields {
        complete: true,
        ..CheckedFields::default()
    };
    let mut json_keys: HashMap<String, Ident> = HashMap::new();
    for field in fields {
        let (Some(ident), ty) = (&field.ident, &field.ty) else {
            continue;
        };
        let valid = if_valid(errors, |errors| {
            let attr: FieldAttr = attr::read(&field.attrs, errors);
            if let Some(FieldFlag(span)) = attr.key {
                checked.keys.push((ident.clone(), span));
            }
            if let Some(FieldFlag(span)) = attr.tenant {
                checked.tenants.push((ident.clone(), span));
            }
            // The parameters of a generic struct were reported, and its types follow from them.
            if attr.skip.is_none() && input.generics.params.is_empty() {
                field::check_type(ty, errors);
            }
            let field_model = field::check(ident, ty, &attr, kind, grouped, errors)?;
            Ok(Field {
                docs: docs::of(&field.attrs),
                visibility: field.vis.clone(),
                ..field_model
            })
        });
        let Some(field) = valid else {
            checked.complete = false;
            continue;
        };
        if !field.skipped {
            if let Some(first) = json_keys.get(&field.json) {
                errors.push(error_at(
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
        checked.fields.push(field);
    }
    checked
}
