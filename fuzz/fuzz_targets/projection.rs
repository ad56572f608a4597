//! Any bytes, as a document and as the text of a selection.
//!
//! `fuzz/README.md` says how it is run.

#![no_main]

#[path = "../../tests/src/naive.rs"]
mod naive;
#[path = "../../tests/src/select.rs"]
mod select;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| select::any_bytes(bytes));
