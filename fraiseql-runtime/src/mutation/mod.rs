//! Mutations: transactions that know which rows they change, and sync every document that depends
//! on them, once, just before they commit.
//!
//! | module | |
//! |---|---|
//! | `transaction` | [`Mutation`]: the open transaction, its marks and its settings |
//! | `changes`, `change_set`, `marker` | [`Changes`]: marks of changed rows |
//! | `capture` | [`Capture`]: whether triggers say what was changed |
//! | `savepoint` | [`Savepoint`]: a part that can be rolled back |
//! | `commit`, `flush` | finds the dependents and syncs them, then commits |
//! | `dependents` | [`Dependents`]: the documents that embed, list or count given rows |
//! | `early_look` | reads rows before the mutation changes them |
//! | `committed_reader` | reads rows as they were before the mutation, afterwards |
//! | `limits` | [`Limits`]: how many documents one mutation may sync |
//! | `retry` | runs a mutation again after a deadlock or a serialization failure |
//! | `defer`, `left` | [`Deferring`]: leaves documents to the worker |
//! | `report`, `token` | [`MutationReport`]: what was synced, and what was left |

pub(crate) mod capture;
pub(crate) mod change_set;
pub(crate) mod changes;
mod commit;
pub(crate) mod committed_reader;
pub(crate) mod context;
pub(crate) mod defer;
pub(crate) mod dependents;
mod early_look;
mod flush;
pub(crate) mod isolation;
pub(crate) mod left;
pub(crate) mod limits;
pub(crate) mod marker;
mod open_transaction;
pub(crate) mod report;
pub(crate) mod retry;
pub(crate) mod savepoint;
mod telemetry;
pub(crate) mod token;
pub(crate) mod transaction;

pub use self::capture::Capture;
pub use self::changes::Changes;
pub use self::defer::Deferring;
pub use self::dependents::documents::Dependents;
pub use self::isolation::Isolation;
pub use self::limits::{Limits, OverLimit};
pub use self::report::{DeferredView, LeftView, MutationReport, ViewReport};
pub use self::retry::{Attempts, MutateError};
pub use self::savepoint::Savepoint;
pub use self::token::{ParseTokenError, SyncToken};
pub use self::transaction::Mutation;
