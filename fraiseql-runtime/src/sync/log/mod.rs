//! The sync log: a table with a row for each batch.
//!
//! | module | |
//! |---|---|
//! | `sync_log` | [`SyncLog`]: settings, reading and pruning, and which connection a row is written on |
//! | `entry` | [`LogEntry`], a row as it is read |
//! | `row` | a row as it is written |

mod entry;
mod row;
mod sync_log;

pub use self::entry::LogEntry;
pub use self::sync_log::SyncLog;
