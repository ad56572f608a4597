//! One batch: observed, logged, and written without the documents that are invalid.

use sqlx::PgConnection;
use sqlx::postgres::PgRow;

use crate::db::scope::TransactionScope;
use crate::error::{Error, Result};
use crate::schema::key::Keys;
use crate::sql::part::PartSql;
use crate::sql::sync::MAX_BATCH;
use crate::sync::invalid::{self, BatchWork};
use crate::sync::part;
use crate::sync::report::SyncReport;
use crate::sync::request::Mode;
use crate::sync::session::Session;
use crate::sync::watch::StartedBatch;
use crate::view::Handle;

/// The most documents that are written together because they take each other's unique values.
const MAX_EXCHANGED: usize = 2 * MAX_BATCH;

/// Syncs the documents of at most [`MAX_BATCH`] keys, or deletes them, as the session's mode says.
/// Documents that cannot be written are in the report.
pub(crate) async fn run(
    session: &mut Session<'_>,
    view: Handle,
    keys: &Keys,
) -> Result<SyncReport> {
    let batch = StartedBatch::now(session.watch, view, session.mode, keys);
    session.retries = 0;
    let result = match session.mode {
        Mode::Delete => session.delete(view, keys).await,
        // Boxed for the same reason as the flush of a mutation: the depth of nested futures.
        Mode::Sync | Mode::Full => Box::pin(write_valid(session, view, keys)).await,
    };
    end(batch, session, result).await
}

/// Replaces a part in the documents of `keys`, and builds those in which it cannot be replaced.
pub(super) async fn replace_part(
    session: &mut Session<'_>,
    view: Handle,
    part: &'static PartSql,
    rows: &Keys,
    keys: &Keys,
) -> Result<SyncReport> {
    let batch = StartedBatch::now(session.watch, view, session.mode, keys);
    session.retries = 0;
    let work = async |session: &mut Session<'_>| {
        let replaced = session.in_savepoint(async |connection: &mut PgConnection, _| {
            part::replace(connection, view, part, rows, keys).await
        });
        let (mut report, rest) = match replaced.await {
            // The error does not name the document. Building finds it, and reports it as invalid.
            Err(error) if error.is_about_values() => (SyncReport::default(), keys.clone()),
            result => result?,
        };
        for keys in rest.chunks(MAX_BATCH) {
            report += Box::pin(write_valid(session, view, &keys)).await?;
        }
        Ok(report)
    };
    let result = work(session).await;
    end(batch, session, result).await
}

async fn end(
    batch: StartedBatch<'_>,
    session: &mut Session<'_>,
    result: Result<SyncReport>,
) -> Result<SyncReport> {
    batch
        .end(result, session.retries, session.connection, session.scope)
        .await
}

/// Writes the documents of `keys` except those that cannot be written, which are in the report.
async fn write_valid(session: &mut Session<'_>, view: Handle, keys: &Keys) -> Result<SyncReport> {
    match write(session, view, keys).await {
        Err(error) if error.is_about_values() => {
            let mut work = WriteWork { session, view };
            let (reports, invalid) = invalid::without_invalid(&mut work, view, keys, error).await?;
            let mut report = SyncReport::default();
            for written in reports {
                report += written;
            }
            report.invalid.extend(invalid);
            Ok(report)
        }
        result => result,
    }
}

/// Writes the documents of `keys`, all or none.
async fn write(session: &mut Session<'_>, view: Handle, keys: &Keys) -> Result<SyncReport> {
    match session.write(view, keys).await {
        Err(error) if error.is_duplicate() => exchange(session, view, keys, error).await,
        result => result,
    }
}

/// Writes the documents of `keys`, all or none, after that has failed with `error` because a unique
/// value is taken.
///
/// Two documents of the batch may exchange their values: each is checked when it is written, while
/// the other still has the value. Or a document that is not in the batch still stores a value that
/// its row has given up. It is written with them, as its own sync would; that one may have to take
/// the value of a further document. Ends because each round adds documents, and at the latest when
/// [`MAX_EXCHANGED`] take part.
async fn exchange(
    session: &mut Session<'_>,
    view: Handle,
    keys: &Keys,
    error: Error,
) -> Result<SyncReport> {
    let sql = &view.statements().sync;
    let (Some(clear), Some(find_holders)) = (&sql.clear_unique, &sql.unique_holders) else {
        return Err(error);
    };
    let mut keys = keys.clone();
    loop {
        let error = match session.exchange(view, &keys, clear).await {
            Err(error) if error.is_duplicate() => error,
            result => return result,
        };
        let holders = session.unique_holders(view, &keys, find_holders).await?;
        if holders.is_empty() || keys.len() + holders.len() > MAX_EXCHANGED {
            return Err(error);
        }
        keys.unite(holders);
    }
}

/// Writing documents, as work that invalid documents are left out of.
struct WriteWork<'s, 'c> {
    session: &'s mut Session<'c>,
    view: Handle,
}

impl BatchWork for WriteWork<'_, '_> {
    type Done = SyncReport;

    async fn attempt(&mut self, keys: &Keys) -> Result<SyncReport> {
        write(self.session, self.view, keys).await
    }

    fn connection(&mut self) -> (&mut PgConnection, &mut TransactionScope) {
        self.session.connection_and_scope()
    }

    async fn find_flaws(&mut self, keys: &Keys) -> Result<Vec<PgRow>> {
        let view = self.view;
        invalid::find_flaws_in(self.session.connection, &mut self.session.scope, view, keys).await
    }
}
