//! Reads of single documents on [`Readers`], coalesced: those that would wait for each other are one statement.

use sqlx::PgPool;
use sqlx::postgres::PgRow;

use crate::db::byte_limit::row_bytes;
use crate::error::{Error, Result};
use crate::read::by_key::KeyRead;
use crate::read::coalesce::{Batch, Coalescer, Limits, Turn};
use crate::read::readers::Readers;
use crate::read::stale::ordinal;
use crate::schema::key::Keys;

/// How many documents a statement reads at most, for as many reads: none of them should wait for long.
const MAX_DOCUMENTS: usize = 32;

/// Which reads can be one statement: those of one view and one tenant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct SameStatement {
    /// The address of the text.
    sql: usize,
    tenant: Option<Keys>,
}

/// Coalesces the reads of single documents.
#[derive(Debug)]
pub(super) struct KeyBatches {
    reads: Coalescer<SameStatement, Keys, Vec<PgRow>>,
}

impl KeyBatches {
    pub(super) fn new(pool: &PgPool) -> Self {
        let limits = Limits {
            running: max_running(pool),
            items: MAX_DOCUMENTS,
        };
        Self {
            reads: Coalescer::new(limits),
        }
    }

    /// Reads a document, with others that are waited for.
    pub(super) async fn read(&self, readers: &Readers, read: KeyRead) -> Result<Vec<PgRow>> {
        let group = SameStatement {
            sql: read.sql.as_ptr().addr(),
            tenant: read.tenant.clone(),
        };
        let running = match self.reads.turn(group, read.keys.clone()).await {
            Turn::Done(rows) => return within_limit(&read, rows),
            Turn::Run(batch) if batch.items().len() > 1 => {
                if let Some(rows) = read_batch(readers, &read, batch).await {
                    return within_limit(&read, rows);
                }
                // Which of the documents has failed is not known: each is read alone.
                None
            }
            Turn::Run(batch) => Some(batch),
            Turn::Alone => None,
        };
        let rows = readers.read_now(read).await;
        drop(running);
        rows
    }
}

/// How many connections the reads that can be one may have: half of the pool. Few reads then find a connection at once, as
/// on a network they should, and many reads of one kind leave connections to others.
pub(super) fn max_running(pool: &PgPool) -> usize {
    let connections = usize::try_from(pool.options().get_max_connections());
    (connections.unwrap_or(usize::MAX) / 2).max(1)
}

/// Reads the documents of a batch with one statement. Returns the rows of the first one; `None` if that failed.
async fn read_batch(
    readers: &Readers,
    first: &KeyRead,
    batch: Batch<SameStatement, Keys, Vec<PgRow>>,
) -> Option<Vec<PgRow>> {
    let mut keys = first.keys.none();
    batch
        .items()
        .iter()
        .for_each(|key| keys.append(key.clone()));
    let rows = readers.read_now(first.of_others_too(keys)).await.ok()?;
    let mut found: Vec<Vec<PgRow>> = batch.items().iter().map(|_| Vec::new()).collect();
    for row in rows {
        let place = ordinal(&row).ok()?.checked_sub(1)?;
        found.get_mut(place)?.push(row);
    }
    batch.finish(found)
}

/// Counts rows that were read without a limit, one document for each read.
fn within_limit(read: &KeyRead, rows: Vec<PgRow>) -> Result<Vec<PgRow>> {
    let Some(limit) = &read.max_bytes else {
        return Ok(rows);
    };
    match rows.iter().all(|row| limit.take(row_bytes(row))) {
        true => Ok(rows),
        false => Err(Error::TooManyBytes {
            table: read.view.view.relation().to_string(),
            max: limit.max(),
        }),
    }
}
