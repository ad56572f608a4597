//! Proofs that a part with `shape_of` has only fields of the other struct.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

use crate::emit::spans::{const_call, ends, respanned};
use crate::model::{Model, ShapeOf};

/// One proof for the chain of `shape_of`, for the table, for the key, and for each field, at its
/// name.
pub(super) fn proofs(model: &Model, shape_of: &ShapeOf) -> TokenStream {
    let proof = |name: &str, argument: TokenStream, (start, end): (Span, Span)| {
        let (ident, name) = (respanned(&model.ident, start), Ident::new(name, start));
        let proof = quote_spanned!(start=> __private::shape_of::#name::<#ident>);
        const_call(&proof, &argument, end)
    };
    let none = TokenStream::new;
    let mut proofs = proof("chain", none(), ends(&shape_of.path));
    if let Some(table) = shape_of.table {
        proofs.extend(proof("written_table", none(), (table, table)));
    }
    if let Some(key) = shape_of.key {
        proofs.extend(proof("key_column", none(), (key, key)));
    }
    for (index, field) in model.document_fields().enumerate() {
        let span = field.ident.span();
        proofs.extend(proof("field", quote!(#index), (span, span)));
    }
    proofs
}
