//! The statements of a verification: reads keys, and compares stored documents with built ones.

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};

use crate::db::statement::Statement;
use crate::error::{Operation, Result};
use crate::ops::verify::difference::{DocumentVersion, Explained, explain};
use crate::ops::verify::sample::Sample;
use crate::schema::key::Keys;
use crate::sql::differences::promoted_columns;
use crate::sql::key_pages::PageStart;
use crate::sql::verify::{both_row, compare_row, unfiltered};
use crate::view::Handle;

/// The result of comparing the documents of some keys.
pub(super) struct Comparison {
    /// The number of rows of the base table.
    pub(super) found: u64,
    pub(super) drifted: Keys,
    pub(super) missing: Keys,
    pub(super) orphaned: Keys,
    /// The size of all documents that were built.
    pub(super) bytes: u64,
    pub(super) explained: Vec<Explained>,
}

/// Reads the next `size` keys of the sample. Without `filtered`, also those of rows that the view's
/// filter excludes.
pub(super) async fn next_keys(
    connection: &mut PgConnection,
    view: Handle,
    after: &Keys,
    size: usize,
    sample: Sample,
    filtered: bool,
) -> Result<Keys> {
    let (sync, verify) = (&view.statements().sync, &view.statements().verify);
    let sql: &'static str = match (sample, after.is_empty()) {
        (Sample::Some { .. }, true) => &verify.first_sampled,
        (Sample::Some { .. }, false) => &verify.next_sampled,
        (_, true) => &sync.first_keys,
        (_, false) => &sync.next_keys,
    };
    let statement = if filtered {
        Statement::new(sql, Operation::ReadKeys)
    } else {
        let start = if after.is_empty() {
            PageStart::First
        } else {
            PageStart::AfterKey
        };
        let is_sampled = matches!(sample, Sample::Some { .. });
        let sql = unfiltered(view.view, start, is_sampled);
        Statement::composed(sql, Operation::ReadKeys)
    };
    let mut statement = statement.on(view.view.shape.table);
    if !after.is_empty() {
        statement = statement.bind_keys(after);
    }
    statement = statement.bind(i64::try_from(size).unwrap_or(i64::MAX));
    if let Sample::Some { seed, bound, .. } = sample {
        statement = statement.bind(seed).bind(bound);
    }
    statement
        .fetch_one(connection, |row| after.read(row, 0))
        .await
}

/// Reads the approximate number of documents.
pub(super) async fn expected(connection: &mut PgConnection, view: Handle) -> Result<u64> {
    let expected: i64 = Statement::new(&view.statements().sync.expected, Operation::ReadKeys)
        .on(view.view.shape.table)
        .fetch_one(connection, |row| row.try_get(0))
        .await?;
    Ok(u64::try_from(expected).unwrap_or(0))
}

/// Builds the documents of `keys` and compares them with the stored ones. Explains the differences
/// of at most `max_explained` documents.
pub(super) async fn compare(
    connection: &mut PgConnection,
    view: Handle,
    keys: &Keys,
    max_explained: usize,
) -> Result<Comparison> {
    let mut comparison = Statement::new(&view.statements().verify.compare, Operation::Verify)
        .on(view.view.table)
        .bind_keys(keys)
        .fetch_one(&mut *connection, |row| comparison(row, keys))
        .await?;
    let drifted = comparison.drifted.first(max_explained);
    if !drifted.is_empty() {
        comparison.explained = explained(connection, view, &drifted).await?;
    }
    Ok(comparison)
}

fn comparison(row: &PgRow, keys: &Keys) -> sqlx::Result<Comparison> {
    let count = |column| -> sqlx::Result<u64> {
        Ok(u64::try_from(row.try_get::<i64, _>(column)?).unwrap_or(0))
    };
    Ok(Comparison {
        found: count(compare_row::FOUND)?,
        drifted: keys.read(row, compare_row::DRIFTED)?,
        missing: keys.read(row, compare_row::MISSING)?,
        orphaned: keys.read(row, compare_row::ORPHANED)?,
        bytes: count(compare_row::BYTES)?,
        explained: Vec::new(),
    })
}

/// Reads both versions of the documents of `keys`, and returns their differences.
async fn explained(
    connection: &mut PgConnection,
    view: Handle,
    keys: &Keys,
) -> Result<Vec<Explained>> {
    let mut all = Statement::new(&view.statements().verify.both, Operation::Verify)
        .on(view.view.table)
        .bind_keys(keys)
        .fetch_each(connection, |row| explained_row(row, view, keys))
        .await?;
    // The statement has a snapshot of its own in READ COMMITTED: a document that was synced since
    // the comparison does not differ any more.
    all.retain(|explained| !explained.differences.is_empty());
    Ok(all)
}

fn explained_row(row: &PgRow, view: Handle, keys: &Keys) -> sqlx::Result<Explained> {
    let differ: Vec<bool> = row.try_get(both_row::COLUMNS_DIFFER)?;
    let columns: Vec<_> = promoted_columns(view.view).zip(differ).collect();
    let stored = DocumentVersion {
        text: row.try_get(both_row::STORED)?,
        columns: row.try_get(both_row::STORED_COLUMNS)?,
    };
    let right = DocumentVersion {
        text: row.try_get(both_row::BUILT)?,
        columns: row.try_get(both_row::BUILT_COLUMNS)?,
    };
    let key = keys.read(row, both_row::KEY)?.to_string();
    Ok(explain(key, &stored, &right, &columns))
}
