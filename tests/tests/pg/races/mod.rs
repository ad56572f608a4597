//! Tests that no update is lost: each interleaving of two sessions in which a plain upsert loses an
//! update runs with that upsert and with fraiseql.
//!
//! A session is stopped at a known point by a lock, and the others continue until each is done or
//! waits; nothing depends on chance or on time. [`world`] has the tables, the plain upsert and the
//! comparison, [`session`] the sessions and where they stop, [`marks`] the marks of mutations,
//! [`lose`] the runs with each protocol.

mod committed;
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
mod unlockable;
mod world;
mod writers;
