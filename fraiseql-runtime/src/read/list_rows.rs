//! Runs the statement of a list, and builds the documents among its rows that are stale.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use sqlx::postgres::{PgRow, PgValueFormat};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, PgConnection, Row, ValueRef};

use crate::db::byte_limit::ByteLimit;
use crate::db::scope::{ScopeErrors, TransactionScope};
use crate::db::session::isolated_in_set_session;
use crate::db::statement::{Fetched, fetch_within};
use crate::db::telemetry::statement as trace_statement;
use crate::error::{Error, Operation, Result};
use crate::read::by_key::version;
use crate::read::column_row::ColumnRead;
use crate::read::document::Document;
use crate::read::error::{not_deserialized, read_failed};
use crate::read::hidden::with_hidden;
use crate::read::list::BinaryValue;
use crate::read::list::kept::StatementText;
use crate::read::scope::Scope;
use crate::read::stale::{self, Wanted, is_stale, ordinal};
use crate::schema::Storage;
use crate::sql::list::{EXPLAIN, Term};
use crate::sync::telemetry;
use crate::view::Handle;

/// Columns of the result of a [`ListQuery`](crate::sql::list::ListQuery): the document is
/// followed by its key, and by the values that the list is ordered by.
const KEY: usize = 1;
const TERMS: usize = 2;

/// The statement of a list with all parameters.
#[derive(Clone, Debug)]
pub struct ListRead {
    pub(crate) view: Handle,
    pub(crate) text: StatementText,
    /// The parameters after the tenant, which is the first if the scope names one.
    pub(super) parameters: Vec<BinaryValue>,
    /// The columns that the rows have in place of documents.
    pub(super) columns: Option<Arc<ColumnRead>>,
    pub(crate) scope: Scope,
    pub(crate) max_bytes: Option<Arc<dyn ByteLimit>>,
}

impl ListRead {
    /// The statement that explains this one.
    pub(super) fn explained(mut self) -> Self {
        self.text.sql = format!("{EXPLAIN}{}", self.text.sql).into();
        self.text.of_documents = None;
        self.columns = None;
        self
    }

    pub(super) const fn view(&self) -> Handle {
        self.view
    }
}

/// The rows of a live view: one statement, and a second one if the session has not what documents need.
async fn live_rows(
    connection: &mut PgConnection,
    mut read: ListRead,
    mut scope: TransactionScope,
) -> Result<Vec<PgRow>> {
    let view = read.view();
    let Some(sql) = read.text.in_set_session.take() else {
        return fetch(connection, read).await;
    };
    let mut again = read.clone();
    again.text.sql = sql;
    let rows = fetch(&mut *connection, read).await?;
    match rows.first() {
        Some(row) if is_stale(row).map_err(read_failed(view))? => {}
        _ => return Ok(rows),
    }
    let errors = ScopeErrors::of(Operation::Read, view.view.relation());
    isolated_in_set_session(connection, &mut scope, view, &errors, async |connection| {
        fetch(connection, again).await
    })
    .await
}

/// The rows that the statement of a list returns.
async fn fetch(connection: &mut PgConnection, read: ListRead) -> Result<Vec<PgRow>> {
    let ListRead {
        view,
        text,
        parameters,
        columns: _,
        scope,
        max_bytes,
    } = read;
    trace_statement(&text.sql);
    let mut query = sqlx::query(AssertSqlSafe(text.sql));
    if let Some(tenant) = scope.tenant(view.view) {
        query = tenant.bind(query);
    }
    let query = parameters.into_iter().fold(query, Query::bind);
    let fetched = fetch_within(query, connection, max_bytes.as_deref()).await;
    match fetched.map_err(read_failed(view))? {
        Fetched::All(rows) => Ok(rows),
        Fetched::TooMany { max } => Err(Error::TooManyBytes {
            table: view.view.relation().to_string(),
            max,
        }),
    }
}

/// The rows of a list, and the columns that they have in place of documents: one statement, and a second
/// one if the columns are not the same as documents.
async fn stored_rows(
    connection: &mut PgConnection,
    mut read: ListRead,
) -> Result<(Vec<PgRow>, Option<Arc<ColumnRead>>)> {
    let columns = read.columns.take();
    let (Some(tested), Some(sql)) = (&columns, read.text.of_documents.take()) else {
        return Ok((fetch(connection, read).await?, columns));
    };
    let view = read.view();
    let mut again = read.clone();
    again.text.sql = sql;
    let rows = fetch(&mut *connection, read).await?;
    match tested.are_same(&rows).map_err(read_failed(view))? {
        true => Ok((rows, columns)),
        false => Ok((fetch(connection, again).await?, None)),
    }
}

/// A row of a list.
#[derive(Debug)]
pub enum ListRow {
    /// The document as it is stored, or as a live view has built it.
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
    let view = read.view();
    if view.view.storage == Storage::Live {
        let rows = live_rows(connection, read, scope).await?;
        let documents = rows.into_iter().map(Document::new);
        return Ok(documents.map(ListRow::Stored).collect());
    }
    let max_bytes = read.max_bytes.clone();
    let limit = max_bytes.as_deref();
    let tenant = read.scope.tenant(view.view);
    let (rows, columns) = stored_rows(&mut *connection, read).await?;
    let columns = columns.as_deref();
    // The position in the list is the ordinal that `build` returns with each document.
    let mut stale_keys = view.no_keys();
    let mut stale_ordinals = Vec::new();
    for (row, ordinal) in rows.iter().zip(1_i64..) {
        // A row with a version and without its document is one that the caller has.
        let is_stale = is_stale(row).map_err(read_failed(view))?
            && version(row).map_err(read_failed(view))?.is_none();
        if is_stale {
            stale_keys.push_from(row, KEY).map_err(read_failed(view))?;
            stale_ordinals.push(ordinal);
        }
    }
    let mut built = Vec::new();
    if !stale_ordinals.is_empty() {
        telemetry::built_to_read(view, stale_ordinals.len());
        let wanted = Wanted {
            view,
            keys: &stale_keys,
            ordinals: &stale_ordinals,
            tenant: tenant.as_ref(),
        };
        built = stale::build(connection, wanted, scope, limit).await?;
    }
    // All three are in ascending order of ordinals, so one pass merges them. `built` has gaps
    // where the row of a stale document was deleted.
    let mut built = built.into_iter().peekable();
    let mut stale_ordinals = stale_ordinals.into_iter().peekable();
    let merged = rows.into_iter().zip(1_i64..).map(|(row, position)| {
        if stale_ordinals.next_if_eq(&position).is_none() {
            return Ok(ListRow::Stored(match columns {
                Some(columns) => columns.document(row)?,
                None => Document::new(row),
            }));
        }
        let is_its = |row: &PgRow| ordinal(row).ok() == usize::try_from(position).ok();
        let document = built.next_if(is_its).map(Document::new);
        Ok(ListRow::Rebuilt(row, document))
    });
    let merged: sqlx::Result<_> = merged.collect();
    merged.map_err(read_failed(view))
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
        let document = self.document()?;
        let json = match with_hidden(view, &document.row, document.json()) {
            Ok(json) => json,
            Err(error) => return Some(Err(read_failed(view)(error))),
        };
        Some(serde_json::from_slice(&json).map_err(|error| {
            let mut key = view.no_keys();
            // If the key cannot be read either, the error is reported without it.
            let _ = key.push_from(self.row(), KEY);
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
                let column = if term.is_whole_key {
                    Some(KEY)
                } else {
                    next.next()
                };
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
