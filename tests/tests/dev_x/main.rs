#![allow(missing_docs)]
#[path = "../pg/feed/mod.rs"]
mod feed;
