//! Composes the statement of a list, or of a page of it, with its parameters.

use super::builder::List;
use super::condition;
use super::cursor::Cursor;
use super::encode::BinaryValue;
use super::error::ListError;
use super::order::Order;
use super::page::Page;
use super::parameters::Parameters;
use super::prune;
use crate::read::list_rows::ListRead;
use crate::sql::list::ListQuery;

/// The maximum of limit and offset: half of a `bigint`, so that their sum does not overflow.
const MAX_ROWS: i64 = i64::MAX / 2;

impl List {
    /// The statement of the list, or of a page of it; and the order in the direction of the list,
    /// in which the statement may not read it.
    pub(super) fn compose(&self, page: Option<&Page>) -> Result<(ListRead, Order), ListError> {
        let view = self.view.view;
        let mut parameters = Parameters::default();
        let condition = condition::compile(&self.filters, view, &mut parameters)?;
        let order = Order::of(view, &self.order)?;
        let removed = prune::removed_keys(view, &self.omitted)?;
        let mut terms = order.terms.clone();
        let (mut after, mut before) = (None, None);
        let (limit, offset) = match page {
            None => (self.limit, self.offset),
            Some(_) if self.limit.is_some() || self.offset.is_some() => {
                return Err(ListError::LimitWithPage);
            }
            Some(page) => {
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
        let query = ListQuery {
            view,
            shape: self.view.statements().shape,
            condition,
            order: terms,
            after,
            before,
            limit: limit.map(|limit| row_count(limit).unsigned_abs()),
            offset: offset.map(|offset| parameters.push(BinaryValue::int8(offset))),
            without: (!removed.is_empty())
                .then(|| parameters.push(BinaryValue::text_array(removed))),
            with_terms: page.is_some(),
        };
        let read = ListRead {
            view: self.view,
            sql: query.compose().into(),
            arguments: parameters.arguments()?,
            max_bytes: self.max_bytes.of_read(),
        };
        Ok((read, order))
    }
}

/// A number of rows as a `bigint`, at most [`MAX_ROWS`]: no table has more.
fn row_count(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(MAX_ROWS).min(MAX_ROWS)
}
