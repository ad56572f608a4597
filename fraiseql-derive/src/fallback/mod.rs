//! Stubs for an item with errors.
//!
//! Without them, each use of the item would be an error too: a struct that is not an `Embed` in
//! another document, a call of a `sync_post` that does not exist. Stubs have the signatures of
//! what is emitted, as far as these can be read in spite of the errors, and never run.

pub(crate) mod scalar;
mod serde;
mod structs;
pub(crate) mod union;

use darling::Error;
use proc_macro2::TokenStream;

pub(crate) use structs::stubs;

/// The errors, and stubs.
pub(crate) fn with_errors(errors: Error, stubs: TokenStream) -> proc_macro::TokenStream {
    let mut tokens = errors.write_errors();
    tokens.extend(stubs);
    tokens.into()
}
