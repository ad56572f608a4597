//! Types that no field can have and whose spelling is surely theirs, each with what to write
//! instead. Others, and aliases of these, are refused by the runtime's `scalar::refused`.

use darling::Error;
use syn::spanned::Spanned;
use syn::{GenericArgument, PathArguments, Type};

use super::error::at;
use crate::spelling::{self, last_segment, ungrouped};

/// What is wrong with a type, or with what it is a list or an `Option` of.
pub(crate) fn refused(ty: &Type) -> Option<Error> {
    let ty = ungrouped(ty);
    if let Some(message) = why(ty) {
        return Some(at(ty.span(), message));
    }
    ["Option", "Vec"]
        .iter()
        .find_map(|name| spelling::argument(ty, name))
        .and_then(refused)
}

/// Why a type is refused, and what to write instead.
fn why(ty: &Type) -> Option<String> {
    const OWNED: &str = "a field owns its value, because it is read from a document: write \
                         `String` for `&str`, `Vec<T>` for `&[T]`";
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
    let message = match (name.as_str(), argument) {
        ("Vec", Some(Type::Path(inner))) if inner.path.is_ident("u8") => {
            "bytes have no form in JSON: write a `String` with `expr = \"encode({}.column, \
             'base64')\"`, or 'hex'"
        }
        ("u8" | "i8", None) => {
            return Some(format!(
                "`{name}` is no type in PostgreSQL: write `i16`, for a column of type int2"
            ));
        }
        ("u16", None) => "`u16` is no type in PostgreSQL: write `i32`, for a column of type int4",
        ("u32", None) => "`u32` is no type in PostgreSQL: write `i64`, for a column of type int8",
        ("u64" | "usize" | "isize", None) => {
            return Some(format!(
                "`{name}` is no type in PostgreSQL: write `i64`, for a column of type int8"
            ));
        }
        ("i128" | "u128", None) => {
            return Some(format!(
                "`{name}` is no type in PostgreSQL: write `rust_decimal::Decimal`, for a column \
                 of type numeric"
            ));
        }
        ("char", None) => "`char` is no type in PostgreSQL: write `String`, for char(1) or text",
        ("str", None) => OWNED,
        _ => return None,
    };
    Some(message.to_owned())
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
