//! What is left when something breaks in the middle: a server, a connection, a statement, the
//! future of a sync. Never half a document, never a document of an older picture, and what
//! answered `Ok` is there.

mod dropped;
mod killed;
mod limits;
mod lost;
mod mutations;
mod own;
mod posts;
