//! Any bytes, as a document and as the text of a selection.
//!
//! `cargo install cargo-fuzz`, then, from the root of the repository:
//! `cargo +nightly fuzz run projection fuzz/corpus/projection tests/corpus/projection`.
//! What it finds goes to `tests/corpus/projection`, which a test of the suite replays.

#![no_main]

#[path = "../../tests/src/naive.rs"]
mod naive;
#[path = "../../tests/src/select.rs"]
mod select;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| select::any_bytes(bytes));
