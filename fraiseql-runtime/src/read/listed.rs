//! Lists of documents: what is stored, and in its place what is built where that has another
//! shape.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use sqlx::postgres::{PgArguments, PgRow, PgValueFormat};
use sqlx::{AssertSqlSafe, PgConnection, Row, ValueRef};

use super::document::Document;
use super::{reading, stored};
use crate::db::scope::TransactionScope;
use crate::db::telemetry::statement as trace_statement;
use crate::error::{Error, Result};
use crate::schema::key::Keys;
use crate::sql::list::Term;
use crate::sync::telemetry;
use crate::view::Handle;

/// Columns of the answer of a [`ListQuery`](crate::sql::list::ListQuery): behind the document are
/// its key, and what it is ordered by.
const KEY: usize = 1;
const TERMS: usize = 2;

/// A list that is to be read.
#[derive(Clone, Debug)]
pub struct ListRead {
    pub(crate) view: Handle,
    pub(crate) sql: Arc<str>,
    pub(crate) arguments: PgArguments,
}

/// A place of a list.
#[derive(Debug)]
pub enum Listed {
    /// The document that is stored there.
    Stored(Document),
    /// What is stored has another shape: the row, and the document that was built instead, if
    /// there still is one.
    Built(PgRow, Option<Document>),
}

/// Reads a list. One statement, unless one of the documents has another shape.
pub(super) async fn rows(
    connection: &mut PgConnection,
    read: ListRead,
    scope: TransactionScope,
) -> Result<Vec<Listed>> {
    let view = read.view;
    trace_statement(&read.sql);
    let rows = sqlx::query_with(AssertSqlSafe(read.sql), read.arguments)
        .fetch_all(&mut *connection)
        .await
        .map_err(reading(view))?;
    let mut keys = view.no_keys();
    let mut places = Vec::new();
    for (row, place) in rows.iter().zip(1_i64..) {
        if stored::is_other(row).map_err(reading(view))? {
            push_key(&mut keys, row).map_err(reading(view))?;
            places.push(place);
        }
    }
    let mut built = Vec::new();
    if !places.is_empty() {
        telemetry::built_to_read(view, places.len());
        built = stored::build(connection, view, &keys, &places, scope).await?;
    }
    // Both are in the order of their places.
    let mut built = built.into_iter().peekable();
    let mut others = places.into_iter().peekable();
    let listed = rows.into_iter().zip(1_i64..).map(|(row, place)| {
        if others.next_if_eq(&place).is_none() {
            return Listed::Stored(Document::new(row));
        }
        let is_its = |row: &PgRow| stored::place(row).ok() == usize::try_from(place).ok();
        Listed::Built(row, built.next_if(is_its).map(Document::new))
    });
    Ok(listed.collect())
}

/// Adds the key of a row.
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

impl Listed {
    /// The document, unless its row is gone from the base table.
    pub const fn document(&self) -> Option<&Document> {
        match self {
            Self::Stored(document) => Some(document),
            Self::Built(_, document) => document.as_ref(),
        }
    }

    pub(crate) fn into_document(self) -> Option<Document> {
        match self {
            Self::Stored(document) => Some(document),
            Self::Built(_, document) => document,
        }
    }

    const fn row(&self) -> &PgRow {
        match self {
            Self::Stored(document) => &document.row,
            Self::Built(row, _) => row,
        }
    }

    /// The document as a struct.
    pub(crate) fn parse<T: DeserializeOwned>(&self, view: Handle) -> Option<Result<T>> {
        let json = self.document()?.json();
        Some(serde_json::from_slice(json).map_err(|source| {
            let mut key = view.no_keys();
            // Without it, the error has one thing less to say.
            let _ = push_key(&mut key, self.row());
            Error::Document {
                view: view.view.table.to_string(),
                key: key.to_string(),
                source,
            }
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
                    return Err(sqlx::Error::Protocol("the answer is not binary".to_owned()));
                }
                let bytes = value.as_bytes().map_err(sqlx::Error::Decode)?;
                Ok(Some(bytes.to_vec()))
            })
            .collect()
    }
}
