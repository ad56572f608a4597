//! Composes the statement of a list, or of a page of it, with its parameters.

use std::sync::Arc;

use super::condition;
use super::cursor::Cursor;
use super::encode::BinaryValue;
use super::error::ListError;
use super::kept::StatementText;
use super::order::Order;
use super::page::Page;
use super::parameters::Parameters;
use super::prune;
use super::spec::ListSpec;
use crate::read::column_row::ColumnRead;
use crate::read::list_rows::ListRead;
use crate::schema::Storage;
use crate::sql::guard::guarded;
use crate::sql::list::{Columns, CountQuery, ListQuery};

/// The maximum of limit and offset: half of a `bigint`, so that their sum does not overflow.
const MAX_ROWS: i64 = i64::MAX / 2;

/// From this number of documents on, testing the types of columns and reading columns takes less time than reading
/// documents: 66 us for the test, 9 us less for each document of 2.6 KB.
const WORTH_A_TEST: u64 = 8;

/// What is read of a list.
#[derive(Clone, Copy)]
pub(super) enum Shown<'p> {
    /// The documents as they are stored.
    Documents,
    /// The documents, to become structs.
    Structs,
    /// The documents of a page, with their positions.
    Page(&'p Page),
}

impl ListSpec {
    /// The statement of the list, or of a page of it; and the order in the direction of the list,
    /// in which the statement may not read it.
    pub(super) fn compose(&self, shown: Shown<'_>) -> Result<(ListRead, Order), ListError> {
        let view = self.view.view;
        // The tenant is the first parameter, and added when the statement is sent: what is kept of
        // the list for other requests does not contain it.
        let by_tenant = self.scope.tenant(view).is_some();
        let mut parameters = Parameters::after(usize::from(by_tenant));
        let condition = condition::compile(&self.filters, view, &mut parameters)?;
        let order = Order::of(view, &self.order, by_tenant)?;
        let columns = self.columns(shown)?;
        let removed = match columns {
            Some(_) => Vec::new(),
            None => prune::removed_keys(view, &self.omitted)?,
        };
        let mut terms = order.terms.clone();
        let (mut after, mut before) = (None, None);
        let (limit, offset) = match shown {
            Shown::Documents | Shown::Structs => (self.limit, self.offset),
            Shown::Page(_) if self.limit.is_some() || self.offset.is_some() => {
                return Err(ListError::LimitWithPage);
            }
            Shown::Page(page) => {
                let mut bound = |cursor: &Option<Cursor>| {
                    let cursor = cursor.as_ref();
                    cursor
                        .map(|cursor| cursor.bound(view, &order, &mut parameters))
                        .transpose()
                };
                after = bound(&page.after)?;
                before = bound(&page.before)?;
                // The last documents of a list are the first ones in the opposite order.
                if page.from_end {
                    (after, before) = (before, after);
                    terms = terms.into_iter().map(|term| term.reversed()).collect();
                }
                // One row more than the page has shows whether there is another page.
                (Some(u64::from(page.size) + 1), None)
            }
        };
        // OFFSET 0 would only be another statement to prepare.
        let offset = offset.filter(|offset| *offset > 0).map(row_count);
        let is_live = view.storage == Storage::Live;
        let unbuilt: Vec<String> = removed
            .iter()
            .filter(|_| is_live)
            .map(|key| (*key).to_owned())
            .collect();
        // Only view tables have versions.
        let held = self
            .held
            .as_ref()
            .filter(|_| view.storage == Storage::Table);
        let query = ListQuery {
            view,
            shape: self.view.statements().shape,
            condition,
            by_tenant,
            order: terms,
            after,
            before,
            limit: limit.map(|limit| row_count(limit).unsigned_abs()),
            offset: offset.map(|offset| parameters.push(BinaryValue::int8(offset))),
            without: (!is_live && !removed.is_empty())
                .then(|| parameters.push(BinaryValue::text_array(removed))),
            columns: columns.clone(),
            unbuilt,
            with_terms: matches!(shown, Shown::Page(_)),
            with_hidden: matches!(shown, Shown::Structs),
            held: held.map(|versions| {
                let versions = versions.iter().map(String::as_str);
                parameters.push(BinaryValue::text_array(versions))
            }),
        };
        let text = match &self.kept {
            Some(kept) => kept.text_of(query, |query| self.text_of(query)),
            None => self.text_of(&query),
        };
        let read = ListRead {
            view: self.view,
            text,
            parameters: parameters.values(),
            columns: columns
                .as_ref()
                .map(|columns| Arc::new(ColumnRead::new(columns, view.data, self.kept.clone()))),
            scope: self.scope.clone(),
            max_bytes: self.max_bytes.of_read(),
        };
        Ok((read, order))
    }

    /// The statement that counts the documents, whatever the order and the limit are.
    pub(super) fn compose_count(&self) -> Result<ListRead, ListError> {
        let view = self.view.view;
        let by_tenant = self.scope.tenant(view).is_some();
        let mut parameters = Parameters::after(usize::from(by_tenant));
        let query = CountQuery {
            view,
            condition: condition::compile(&self.filters, view, &mut parameters)?,
            by_tenant,
        };
        Ok(ListRead {
            view: self.view,
            text: self.in_session(query.compose(), None),
            parameters: parameters.values(),
            columns: None,
            scope: self.scope.clone(),
            max_bytes: None,
        })
    }

    /// The columns that are read in place of documents, if all that is needed is in columns.
    fn columns(&self, shown: Shown<'_>) -> Result<Option<Columns>, ListError> {
        let view = self.view.view;
        let Some(only) = &self.only else {
            return Ok(None);
        };
        for name in only {
            prune::field_of(view, name)?;
        }
        let tested = self.kept.as_ref().and_then(|kept| kept.columns_are_same());
        // A live view has no columns: it builds what is needed.
        if view.storage == Storage::Live || matches!(shown, Shown::Structs) || tested == Some(false)
        {
            return Ok(None);
        }
        let limit = match shown {
            Shown::Page(page) => Some(u64::from(page.size)),
            Shown::Documents | Shown::Structs => self.limit,
        };
        let is_worth_a_test =
            self.kept.is_some() || limit.is_none_or(|limit| limit >= WORTH_A_TEST);
        let columns = Columns::of(view, |field| only.iter().any(|name| name == field.json));
        Ok(match (columns, tested) {
            (Some(columns), Some(_)) => Some(columns.untested()),
            (Some(columns), None) if columns.are_tested() && !is_worth_a_test => None,
            (columns, _) => columns,
        })
    }

    /// Whether the statement reads documents as a whole.
    pub(super) fn reads_whole_documents(&self) -> Result<bool, ListError> {
        let removed = prune::removed_keys(self.view.view, &self.omitted)?;
        Ok(removed.is_empty() && self.columns(Shown::Documents)?.is_none())
    }

    fn text_of(&self, query: &ListQuery<'_>) -> StatementText {
        self.in_session(query.compose(), query.of_documents())
    }

    /// A statement with what it needs of the session. `of_documents` is sent in its place if columns are not the same
    /// as documents.
    fn in_session(&self, plain: String, of_documents: Option<String>) -> StatementText {
        let session = &self.view.statements().sync.session;
        let is_live = self.view.view.storage == Storage::Live;
        let guarded = is_live.then(|| guarded(session, &plain, "q.*")).flatten();
        let (sql, in_set_session) = match guarded {
            Some(sql) => (sql, Some(session.in_set_session(&plain).unwrap_or(plain))),
            None => (plain, None),
        };
        StatementText {
            of_documents: of_documents.map(Arc::from),
            sql: sql.into(),
            in_set_session: in_set_session.map(Arc::from),
        }
    }
}

/// A number of rows as a `bigint`, at most [`MAX_ROWS`]: no table has more.
fn row_count(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(MAX_ROWS).min(MAX_ROWS)
}
