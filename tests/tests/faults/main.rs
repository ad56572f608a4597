//! Tests that a crash, a lost connection, a failing statement or a dropped future leaves no half
//! written and no outdated document, and that what answered `Ok` is stored.

mod dropped;
mod killed;
mod limits;
mod lost;
mod mutations;
mod own;
mod posts;
