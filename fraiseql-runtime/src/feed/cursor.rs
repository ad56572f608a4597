//! From where on a feed reads, and one look from there.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};

use crate::db::snapshot::Snapshot;
use crate::db::statement::execute_all;
use crate::error::{Error, Operation, Result};
use crate::feed::hub::StoredChange;
use crate::feed::sink::SinkState;
use crate::sql::feed::{FeedSql, MAX_ROWS, MAX_SINK_KEYS, look_row};

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
    let row = run(connection, sql.look(since)).await?;
    let looked = read(&row).map_err(Error::database(Operation::FindChanges))?;
    let (now, pruned, changes): (Cursor, u64, Vec<StoredChange>) = looked;
    let known = cursor.is_some_and(|cursor| {
        cursor.server == now.server && pruned <= cursor.snapshot.first_unseen()
    });
    let found = match changes.len() {
        0..=MAX_ROWS if known => Found::Changes(changes),
        _ => Found::Unknown,
    };
    Ok((now, found))
}

/// What a sink's look has found.
#[derive(Debug)]
pub(super) enum Looked {
    /// The keys of the documents that have changed, by their view tables.
    Changes {
        snapshot: Snapshot,
        changes: BTreeMap<String, Vec<String>>,
    },
    /// It is not known what has changed. All documents are as of this snapshot, or later.
    Unknown { snapshot: Snapshot, server: String },
}

/// Looks for the changes since the position of a sink.
pub(super) async fn look_for_sink(
    sql: &FeedSql,
    connection: &mut PgConnection,
    state: &SinkState,
) -> Result<Looked> {
    let text = match state.since() {
        Some(since) => sql.sink_look(since),
        None => sql.look(None),
    };
    let row = run(connection, text).await?;
    let looked = read::<StoredKey>(&row);
    let (now, pruned, found) = looked.map_err(Error::database(Operation::FindChanges))?;
    let Cursor { snapshot, server } = now;
    let known = state.position.as_ref().is_some_and(|position| {
        state.server.as_ref() == Some(&server) && pruned <= position.first_unseen()
    });
    if !known || found.len() > MAX_SINK_KEYS {
        return Ok(Looked::Unknown { snapshot, server });
    }
    let mut changes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for StoredKey(table, key) in found {
        let Some(key) = key else {
            // A whole view.
            return Ok(Looked::Unknown { snapshot, server });
        };
        changes.entry(table).or_default().push(key);
    }
    Ok(Looked::Changes { snapshot, changes })
}

/// A changed document: its view table, and its key.
#[derive(Debug, Deserialize)]
struct StoredKey(String, Option<String>);

/// Sends a look, and returns its row.
async fn run(connection: &mut PgConnection, text: String) -> Result<PgRow> {
    let rows = execute_all(connection, vec![(text.into(), Operation::FindChanges)]).await?;
    let row = rows.into_iter().flatten().next();
    row.ok_or_else(|| Error::database(Operation::FindChanges)(sqlx::Error::RowNotFound))
}

fn read<T: DeserializeOwned>(row: &PgRow) -> sqlx::Result<(Cursor, u64, Vec<T>)> {
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
