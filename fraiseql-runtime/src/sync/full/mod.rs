//! Full sync of a view: every key, chunk by chunk.
//!
//! | module | |
//! |---|---|
//! | `full_sync` | [`FullSync`], the builder that is awaited |
//! | `settings` | its settings, and those of a rebuild |
//! | [`progress`] | how far a full sync has come |
//! | `workers` | one or more connections that sync chunks |
//! | `run` | what the workers share: they take chunks from it one at a time |
//! | `state` | the chunks taken and done, and the position up to which everything is done |
//! | `keys` | the statements that read the next keys |
//! | `chunk_size` | the size of a chunk, from the size of documents |

pub(crate) mod chunk_size;
mod full_sync;
pub(crate) mod keys;
pub(crate) mod progress;
mod run;
pub(crate) mod settings;
mod state;
pub(crate) mod workers;

pub use self::full_sync::{FullSync, sync_all};
