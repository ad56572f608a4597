//! Types that no field can have and that are recognized by their spelling, with what to write
//! instead. Other such types, and aliases, are refused by `schema::scalar` in the runtime.

use darling::Error;
use syn::spanned::Spanned;
use syn::{GenericArgument, PathArguments, Type};

use super::error::error_at;
use crate::type_syntax::{generic_argument, last_segment, ungrouped};

/// The error about a type, or about the element of a list or an `Option`.
pub(crate) fn unsupported(ty: &Type) -> Option<Error> {
    let ty = ungrouped(ty);
    if let Some(message) = message(ty) {
        return Some(error_at(ty.span(), message));
    }
    ["Option", "Vec"]
        .iter()
        .find_map(|name| generic_argument(ty, name))
        .and_then(unsupported)
}

/// Why a type is not supported, and what to write instead.
fn message(ty: &Type) -> Option<String> {
    const OWNED: &str = "a field owns its value, because it is read from a document: write \
                         `String` instead of `&str`, and `Vec<T>` instead of `&[T]`";
    match ty {
        Type::Reference(_) => return Some(OWNED.to_owned()),
        Type::Tuple(_) => {
            return Some(
                "a tuple has no names for the keys of a document: write a struct with \
                 #[derive(Embed)], or `serde_json::Value` for a column of type jsonb"
                    .to_owned(),
            );
        }
        Type::Array(_) => {
            return Some("an array in PostgreSQL has no fixed length: write `Vec<T>`".to_owned());
        }
        _ => {}
    }
    let segment = last_segment(ty)?;
    let name = segment.ident.to_string();
    let argument = first_argument(&segment.arguments);
    let (instead, column) = match (name.as_str(), argument) {
        ("Vec", Some(Type::Path(inner))) if inner.path.is_ident("u8") => {
            return Some(
                "bytes have no JSON encoding: write a `String` with `expr = \
                 \"replace(encode({}.column, 'base64'), chr(10), '')\"`, which has no line breaks, or \
                 `expr = \"encode({}.column, 'hex')\"`"
                    .to_owned(),
            );
        }
        ("str", None) => return Some(OWNED.to_owned()),
        ("u8" | "i8", None) => ("i16", "int2"),
        ("u16", None) => ("i32", "int4"),
        ("u32" | "u64" | "usize" | "isize", None) => ("i64", "int8"),
        ("i128" | "u128", None) => ("rust_decimal::Decimal", "numeric"),
        ("char", None) => ("String", "char(1) or text"),
        _ => return None,
    };
    Some(format!(
        "`{name}` is not a PostgreSQL type: write `{instead}` for a column of type {column}"
    ))
}

fn first_argument(arguments: &PathArguments) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ungrouped(ty)),
        _ => None,
    })
}
