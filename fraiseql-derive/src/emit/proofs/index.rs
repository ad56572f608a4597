//! Proofs that paths, full-text columns and partition bounds of a view fit the types of its
//! fields.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

use crate::emit::names::{alias, part_name};
use crate::emit::spans::const_call;
use crate::model::{Field, IndexOn, JsonPath, Model, Partition, SearchText, Source};

pub(super) fn proofs(model: &Model) -> Vec<TokenStream> {
    let Some(view) = &model.view else {
        return Vec::new();
    };
    let mut proofs = Vec::new();
    for index in &view.indexes {
        match &index.on {
            IndexOn::Gin(Some(path)) => proofs.extend(of_path(model, path)),
            IndexOn::FullText { texts, .. } => {
                proofs.extend(texts.iter().filter_map(|text| of_text(model, text)));
            }
            _ => {}
        }
    }
    if let Some(Partition::Range { bounds, span }) = &view.parameters.partition
        && let [key] = model.key().as_slice()
    {
        let key = alias(key);
        let krate = &model.krate;
        let proof = quote_spanned!(*span=> __private::proof::range);
        proofs.push(const_call(
            &proof,
            &quote!(<#key as #krate::Scalar>::TYPE, &[#(#bounds),*]),
            *span,
        ));
    }
    proofs
}

fn field<'a>(model: &'a Model, name: &str) -> Option<&'a Field> {
    model.fields.iter().find(|field| field.name == name)
}

/// That a text in `fulltext` is text, or a path that may lead to one.
fn of_text(model: &Model, text: &SearchText) -> Option<TokenStream> {
    match text {
        SearchText::Column {
            name,
            field: of,
            span,
        } => {
            let message = format!(
                "the column `{name}` is not text, so `fulltext` cannot search it; remove it"
            );
            Some(of_scalar(model, field(model, of)?, "text", &message, *span))
        }
        SearchText::Document(path) => of_path(model, path),
    }
}

/// That the second key of a path is one of the part's, or that the field can contain any key.
/// Keys after the second are not checked.
fn of_path(model: &Model, path: &JsonPath) -> Option<TokenStream> {
    let [first, second, ..] = path.keys.as_slice() else {
        return None;
    };
    let krate = &model.krate;
    let field = field(model, &path.field)?;
    if matches!(field.source, Source::One { .. } | Source::First(_)) {
        let part = part_name(field);
        let message = format!(
            "the part `{first}` has no key `{second}` in the document; write keys as they are \
             there, in camelCase"
        );
        let proof = quote_spanned!(path.span=> __private::proof::part_has_key);
        return Some(const_call(
            &proof,
            &quote!(<#part as #krate::Embed>::SHAPE, #second, #message),
            path.span,
        ));
    }
    let message = format!(
        "`{first}` is a single value and has no key `{second}`; a path can lead through parts and \
         fields of type serde_json::Value"
    );
    Some(of_scalar(model, field, "json", &message, path.span))
}

/// The proof of this name about the type of a field.
fn of_scalar(model: &Model, field: &Field, proof: &str, message: &str, span: Span) -> TokenStream {
    let krate = &model.krate;
    let ty = alias(field);
    let proof = Ident::new(proof, span);
    const_call(
        &quote_spanned!(span=> __private::proof::#proof),
        &quote!(<#ty as #krate::Scalar>::TYPE, #message),
        span,
    )
}
