//! The samples of the guides, and their text.

#[allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::duplicated_attributes,
    clippy::items_after_statements
)]
mod samples {
    include!(concat!(env!("OUT_DIR"), "/guides.rs"));
}

mod blocks;
mod text;
