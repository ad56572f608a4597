//! Runs the statement of a list, and builds the documents among its rows that are stale.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use sqlx::postgres::{PgArguments, PgRow, PgValueFormat};
use sqlx::{AssertSqlSafe, PgConnection, Row, ValueRef};

use crate::db::byte_limit::ByteLimit;
use crate::db::scope::TransactionScope;
use crate::db::statement::{Fetched, fetch_within};
use crate::db::telemetry::statement as trace_statement;
use crate::error::{Error, Result};
use crate::read::document::Document;
use crate::read::error::{not_deserialized, read_failed};
use crate::read::stale::{self, is_stale, ordinal};
use crate::schema::key::Keys;
use crate::sql::list::Term;
use crate::sync::telemetry;
use crate::view::Handle;

/// Columns of the result of a [`ListQuery`](crate::sql::list::ListQuery): the document is
/// followed by its key, and by the values that the list is ordered by.
const KEY: usize = 1;
const TERMS: usize = 2;

/// The statement of a list with its arguments.
#[derive(Clone, Debug)]
pub struct ListRead {
    pub(crate) view: Handle,
    pub(crate) sql: Arc<str>,
    pub(crate) arguments: PgArguments,
    pub(crate) max_bytes: Option<Arc<dyn ByteLimit>>,
}

impl ListRead {
    /// The same read with another limit.
    #[must_use]
    pub fn within(self, max_bytes: Option<Arc<dyn ByteLimit>>) -> Self {
        Self { max_bytes, ..self }
    }
}

/// A row of a list.
#[derive(Debug)]
pub enum ListRow {
    /// The document is stored as the struct's shape.
    Stored(Document),
    /// The stored document is stale: its row, and the document that was built instead. None if
    /// the row of the base table was deleted.
    Rebuilt(PgRow, Option<Document>),
}

/// Reads a list: one statement, and a second one if some of the documents are stale.
pub(super) async fn rows(
    connection: &mut PgConnection,
    read: ListRead,
    scope: TransactionScope,
) -> Result<Vec<ListRow>> {
    let view = read.view;
    let limit = read.max_bytes.as_deref();
    trace_statement(&read.sql);
    let query = sqlx::query_with(AssertSqlSafe(read.sql), read.arguments);
    let fetched = fetch_within(query, &mut *connection, limit).await;
    let rows = match fetched.map_err(read_failed(view))? {
        Fetched::All(rows) => rows,
        Fetched::TooMany { max } => {
            return Err(Error::TooManyBytes {
                table: view.view.table.to_string(),
                max,
            });
        }
    };
    // The position in the list is the ordinal that `build` returns with each document.
    let mut stale_keys = view.no_keys();
    let mut stale_ordinals = Vec::new();
    for (row, ordinal) in rows.iter().zip(1_i64..) {
        if is_stale(row).map_err(read_failed(view))? {
            push_key(&mut stale_keys, row).map_err(read_failed(view))?;
            stale_ordinals.push(ordinal);
        }
    }
    let mut built = Vec::new();
    if !stale_ordinals.is_empty() {
        telemetry::built_to_read(view, stale_ordinals.len());
        built = stale::build(connection, view, &stale_keys, &stale_ordinals, scope, limit).await?;
    }
    // All three are in ascending order of ordinals, so one pass merges them. `built` has gaps
    // where the row of a stale document was deleted.
    let mut built = built.into_iter().peekable();
    let mut stale_ordinals = stale_ordinals.into_iter().peekable();
    let merged = rows.into_iter().zip(1_i64..).map(|(row, position)| {
        if stale_ordinals.next_if_eq(&position).is_none() {
            return ListRow::Stored(Document::new(row));
        }
        let is_its = |row: &PgRow| ordinal(row).ok() == usize::try_from(position).ok();
        ListRow::Rebuilt(row, built.next_if(is_its).map(Document::new))
    });
    Ok(merged.collect())
}

/// Appends the key of a row.
fn push_key(keys: &mut Keys, row: &PgRow) -> sqlx::Result<()> {
    match keys {
        Keys::I16(keys) => keys.push(row.try_get(KEY)?),
        Keys::I32(keys) => keys.push(row.try_get(KEY)?),
        Keys::I64(keys) => keys.push(row.try_get(KEY)?),
        Keys::Text(keys) => keys.push(row.try_get(KEY)?),
        Keys::Uuid(keys) => keys.push(row.try_get(KEY)?),
    }
    Ok(())
}

impl ListRow {
    /// The document. None if it is stale and its row was deleted from the base table.
    pub const fn document(&self) -> Option<&Document> {
        match self {
            Self::Stored(document) => Some(document),
            Self::Rebuilt(_, document) => document.as_ref(),
        }
    }

    pub(crate) fn into_document(self) -> Option<Document> {
        match self {
            Self::Stored(document) => Some(document),
            Self::Rebuilt(_, document) => document,
        }
    }

    /// The row as the list's statement returned it, also if its document is stale.
    const fn row(&self) -> &PgRow {
        match self {
            Self::Stored(document) => &document.row,
            Self::Rebuilt(row, _) => row,
        }
    }

    /// The document as a struct.
    pub(crate) fn parse<T: DeserializeOwned>(&self, view: Handle) -> Option<Result<T>> {
        let json = self.document()?.json();
        Some(serde_json::from_slice(json).map_err(|error| {
            let mut key = view.no_keys();
            // If the key cannot be read either, the error is reported without it.
            let _ = push_key(&mut key, self.row());
            not_deserialized(view, key.to_string(), error)
        }))
    }

    /// The values that the list is ordered by, in binary form.
    pub(crate) fn values(&self, terms: &[Term]) -> sqlx::Result<Vec<Option<Vec<u8>>>> {
        let row = self.row();
        let mut next = TERMS..;
        terms
            .iter()
            .map(|term| {
                let column = if term.is_key { Some(KEY) } else { next.next() };
                let value = row.try_get_raw(column.unwrap_or(KEY))?;
                if value.is_null() {
                    return Ok(None);
                }
                if value.format() != PgValueFormat::Binary {
                    return Err(sqlx::Error::Protocol(
                        "the value is not in binary format".to_owned(),
                    ));
                }
                let bytes = value.as_bytes().map_err(sqlx::Error::Decode)?;
                Ok(Some(bytes.to_vec()))
            })
            .collect()
    }
}
