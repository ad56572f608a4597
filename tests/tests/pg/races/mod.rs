//! Tests that no update is lost: each interleaving of two sessions that loses one with the
//! statement everyone writes is run with that statement and with ours.
//!
//! A session is stopped at a known point by a lock, and the others go on until each is done or
//! waits; nothing is left to chance or to time. [`world`] has the tables, the statement by hand
//! and the comparison, [`session`] what runs and where it stops, [`marks`] what a mutation is told
//! of it, [`lose`] what is tried with each of them.

mod deletes;
mod full;
mod isolation;
mod lookups;
mod lose;
mod marks;
mod open;
mod parents;
mod session;
mod snapshot;
mod world;
mod writers;
