//! From where on a feed reads, and one look from there.

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};

use crate::db::snapshot::Snapshot;
use crate::db::statement::execute_all;
use crate::error::{Error, Operation, Result};
use crate::feed::hub::StoredChange;
use crate::sql::feed::{FeedSql, MAX_ROWS, look_row};

/// From where on a feed reads: what the snapshot does not see is new. It is that of one run of one server.
#[derive(Clone, Debug)]
pub(super) struct Cursor {
    pub(super) snapshot: Snapshot,
    server: String,
}

/// What a look has found.
#[derive(Debug)]
pub(super) enum Found {
    Changes(Vec<StoredChange>),
    /// It is not known what has changed.
    Unknown,
}

/// Looks for the changes since a cursor.
pub(super) async fn look(
    sql: &FeedSql,
    connection: &mut PgConnection,
    cursor: Option<&Cursor>,
) -> Result<(Cursor, Found)> {
    let since = cursor.map(|cursor| (cursor.snapshot.end, &*cursor.snapshot.open));
    let text = sql.look(since);
    let rows = execute_all(connection, vec![(text.into(), Operation::FindChanges)]).await?;
    let row = rows.first().and_then(|rows| rows.first());
    let looked = row.ok_or(sqlx::Error::RowNotFound).and_then(read);
    let looked = looked.map_err(Error::database(Operation::FindChanges))?;
    let (now, pruned, changes) = looked;
    let known = cursor.is_some_and(|cursor| {
        cursor.server == now.server && pruned <= cursor.snapshot.first_unseen()
    });
    let found = match changes.len() {
        0..=MAX_ROWS if known => Found::Changes(changes),
        _ => Found::Unknown,
    };
    Ok((now, found))
}

type Look = (Cursor, u64, Vec<StoredChange>);

fn read(row: &PgRow) -> sqlx::Result<Look> {
    let decode = |error: Box<dyn std::error::Error + Send + Sync>| sqlx::Error::Decode(error);
    let text: String = row.try_get(look_row::SNAPSHOT)?;
    let snapshot = Snapshot::parse(&text);
    let snapshot = snapshot.ok_or_else(|| decode(format!("`{text}` is not a snapshot").into()))?;
    let pruned: Option<String> = row.try_get(look_row::PRUNED)?;
    let pruned: Result<u64, _> = pruned.map_or(Ok(0), |xid| xid.parse());
    let changes: Option<String> = row.try_get(look_row::CHANGES)?;
    let changes: Result<_, serde_json::Error> =
        changes.map_or(Ok(Vec::new()), |json| serde_json::from_str(&json));
    let cursor = Cursor {
        snapshot,
        server: row.try_get(look_row::SERVER)?,
    };
    Ok((
        cursor,
        pruned.map_err(|error: std::num::ParseIntError| decode(error.into()))?,
        changes.map_err(|error| decode(error.into()))?,
    ))
}
