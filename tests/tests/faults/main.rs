//! Tests that a crash, a lost connection, a failing statement or a dropped future leaves no partial
//! write and no drifted document, and that what returned `Ok` is stored.

mod dropped;
mod killed;
mod limits;
mod lost;
mod mutations;
mod own;
mod posts;
mod replicas;
mod workers;
