//! The statements of a sync.
//!
//! Unless stated otherwise, `$1` is an array of distinct keys.

use crate::schema::View;
use crate::sql::delete;
use crate::sql::document;
use crate::sql::document::BatchSize;
use crate::sql::key_pages::{self, PageStart};
use crate::sql::lock;
use crate::sql::session::{Session, SessionNeeds, reads_session};
use crate::sql::unique;
use crate::sql::write;
use crate::sql::write::protocol::WriteProtocol;
use crate::sql::write::{advisory, equal};

/// The statements of a sync.
#[derive(Debug)]
pub struct SyncSql {
    /// The guarded statement: builds the documents of `$1`, writes those that differ and deletes
    /// those without a root row, except where another transaction has written them since. `$2` is the
    /// number of the full sync whose other transactions do not matter, or null; `$3` is whether it writes nothing if a transaction
    /// that has synced was open at its snapshot. Returns one row; see `result_row`.
    pub write: String,
    /// [`write`](Self::write) for at most [`MAX_FEW_KEYS`] keys.
    pub write_few: String,
    /// Builds and writes the document of the one key in the array `$1`, if it differs and nothing
    /// stands against that, and then returns one row: see the module `one` of [`write`](mod@write).
    pub write_one: String,
    /// The locked statement: [`write`](Self::write) in a transaction that has locked the documents
    /// `$2`.
    pub write_locked: String,
    /// [`write_locked`](Self::write_locked) for at most [`MAX_FEW_KEYS`] keys.
    pub write_locked_few: String,
    /// Announces to other syncs that this transaction may have changed rows that they embed.
    pub announce: String,
    /// Waits for `$2` seconds, then returns those of the transactions `$1`, or of all if it is null,
    /// that have synced and are still open.
    pub open_writers: String,
    /// Waits for `$2` seconds, then returns whether one of the transactions `$1` still writes
    /// documents.
    pub still_writing: String,
    /// Returns which of the documents `$1` other transactions have written or locked since the
    /// snapshot `$2`.
    pub overwritten: String,
    /// Locks what the documents of `$1` are built from, so far as another sync would not know of
    /// these documents, then the documents: see the module `lock`. `$2` is whether the
    /// transaction may continue after the sync. Returns the array of the keys whose documents
    /// exist, and the isolation level.
    pub lock: String,
    /// Locks the documents `$1` in key order. Returns the array of the keys whose documents exist.
    pub lock_documents: String,
    /// Sets the unique columns of the documents `$1` to null, so that documents can exchange their
    /// values. `None` if the view has no unique column.
    pub clear_unique: Option<String>,
    /// Returns the array of the keys of those documents, other than `$1`, that store a unique value
    /// which a document of `$1` should have. `None` if the view has no unique column.
    pub unique_holders: Option<String>,
    /// Deletes the documents of `$1` that have no root row.
    pub delete_orphans: String,
    /// Deletes the documents of `$1`.
    pub delete: String,
    /// The first `$1` keys that have a root row or a document.
    pub first_keys: String,
    /// The next `$2` keys after the one in the array `$1`.
    pub next_keys: String,
    /// The approximate number of keys.
    pub expected: String,
    /// The number of rows after the key in the array `$1`.
    pub expected_after: String,
    /// Finds the values that make documents of `$1` invalid: a row for each key, with the key in an
    /// array, and the reasons in an object with the structure of the document.
    pub reject_reasons: String,
    /// What the documents depend on in the session.
    pub needs: SessionNeeds,
    /// Gives the rest of the transaction the settings with which documents are built.
    pub set_session: String,
    /// What they depend on, in full.
    pub(crate) session: Session,
    /// Whether the rows that the view's filter excludes depend on the session.
    pub(crate) filter_reads_session: bool,
}

/// The maximum number of keys of the statements for few keys. For more, joining rows is faster than
/// looking them up one by one.
pub const MAX_FEW_KEYS: usize = 40;

/// The most documents that one statement or call builds, and that one change leaves to a worker. It bounds the memory of
/// a batch, and more at once is not faster.
pub(crate) const MAX_BATCH: usize = 500;

/// Composes the statements of a view, whose shape has the number `number`.
pub(crate) fn compose(view: &View, number: i64) -> SyncSql {
    let session = Session::of([view.shape]);
    let write = |batch_size, protocol| write::compose(view, number, batch_size, protocol);
    SyncSql {
        write: write(BatchSize::Many, WriteProtocol::Guarded),
        write_few: write(BatchSize::Few, WriteProtocol::Guarded),
        write_one: write::one::compose(view, number),
        write_locked: write(BatchSize::Many, WriteProtocol::Locked),
        write_locked_few: write(BatchSize::Few, WriteProtocol::Locked),
        announce: advisory::announce(&[view]),
        open_writers: advisory::open_writers(view),
        still_writing: equal::still_writing(view),
        overwritten: equal::overwritten(view),
        lock: lock::all(view),
        lock_documents: lock::documents(view),
        clear_unique: unique::clear_unique(view),
        unique_holders: unique::unique_holders(view),
        delete_orphans: delete::delete_orphans(view, "$1"),
        delete: delete::delete(view),
        first_keys: key_pages::page(view, PageStart::First, None),
        next_keys: key_pages::page(view, PageStart::AfterKey, None),
        expected: key_pages::expected(view),
        expected_after: key_pages::expected_after(view),
        reject_reasons: document::reject_reasons(view, None, |root| {
            vec![view.base_key(root).is_in_parameter(1)]
        }),
        needs: session.needs,
        set_session: session.set_local(),
        filter_reads_session: reads_session(view.shape.filter),
        session,
    }
}
