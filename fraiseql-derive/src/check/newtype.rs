//! Checks a struct with `TScalar`.

use darling::{Error, Result};
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Fields, Member};

use super::error::error_at;
use super::{field, generics, names};
use crate::attr::{self, BoolValue, NewtypeAttr, NoAttr};
use crate::model::Newtype;

/// Checks a newtype. The error contains every mistake, each at its token.
pub(crate) fn check(input: &DeriveInput) -> Result<Newtype> {
    let mut errors = Error::accumulator();
    let generic = generics::refuse(
        input,
        "#[derive(TScalar)] does not support structs with parameters, because each struct is one \
         PostgreSQL type and owns its value: write the type instead of the parameter",
        &mut errors,
    );
    let container: NewtypeAttr = attr::read(&input.attrs, &mut errors);
    if container.type_name.is_some() {
        names::type_name(input, container.type_name.as_ref(), &mut errors);
    }
    let Some((member, inner)) = errors.handle(only_field(input)) else {
        return Err(errors
            .finish()
            .err()
            .unwrap_or_else(|| Error::custom("no field")));
    };
    let _: NoAttr = attr::read(&inner.attrs, &mut errors);
    if !generic {
        field::check_type(&inner.ty, &mut errors);
    }
    errors.finish_with(Newtype {
        ident: input.ident.clone(),
        krate: names::krate(container.krate),
        member,
        ty: inner.ty.clone(),
        type_name: container.type_name.map(|text| text.value()),
        serde: container.serde.is_none_or(|BoolValue(on)| on),
    })
}

/// The only field of the struct.
fn only_field(input: &DeriveInput) -> Result<(Member, &syn::Field)> {
    let found = match &input.data {
        Data::Struct(data) => {
            let mut fields = data.fields.members().zip(&data.fields);
            match (fields.next(), fields.next()) {
                (Some(only), None) => return Ok(only),
                (Some(_), Some((_, second))) => {
                    let all = data.fields.len();
                    return Err(error_at(
                        match &data.fields {
                            Fields::Named(_) => second.ident.span(),
                            _ => second.ty.span(),
                        },
                        format!(
                            "#[derive(TScalar)] needs a struct with one field; `{}` has {all}. For a \
                             struct of several columns use #[derive(Embed)]",
                            input.ident
                        ),
                    ));
                }
                (None, _) => "has none",
            }
        }
        Data::Enum(_) => "is an enum: use #[derive(TEnum)]",
        Data::Union(_) => "is a union",
    };
    Err(error_at(
        input.ident.span(),
        format!(
            "#[derive(TScalar)] needs a struct with one field, such as `struct PostId(Uuid);`; \
             `{}` {found}",
            input.ident
        ),
    ))
}
