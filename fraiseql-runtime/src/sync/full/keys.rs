//! The keys that a full sync goes through, and how many there are.

use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{Postgres, Row};

use super::workers::Run;
use crate::db::telemetry::statement as trace_statement;
use crate::error::{Error, Operation, Result};
use crate::schema::key::Keys;
use crate::sync::session::Session;

/// The query that goes on after a key, with that key bound, or the one that begins where there is
/// none. It is about to be sent.
fn query_after<'q>(
    after: &'q Keys,
    first: &'static str,
    next: &'static str,
) -> Query<'q, Postgres, PgArguments> {
    if after.is_empty() {
        trace_statement(first);
        sqlx::query(first)
    } else {
        trace_statement(next);
        after.bind(sqlx::query(next))
    }
}

impl Run<'_> {
    pub(super) async fn next_keys(
        &self,
        session: &mut Session<'_>,
        after: &Keys,
        size: usize,
    ) -> Result<Keys> {
        let sql = &self.view.statements().sync;
        query_after(after, &sql.first_keys, &sql.next_keys)
            .bind(i64::try_from(size).unwrap_or(i64::MAX))
            .fetch_one(session.connection())
            .await
            .and_then(|row| after.read(&row, 0))
            .map_err(self.failed())
    }

    /// The keys of the next documents of another shape. What they are among may be long: it is
    /// looked through in pages.
    pub(super) async fn next_others(
        &self,
        session: &mut Session<'_>,
        after: &mut Keys,
        size: usize,
    ) -> Result<Keys> {
        let sql = &self.view.statements().rebuild;
        loop {
            let (keys, last) = query_after(after, &sql.first_keys, &sql.next_keys)
                .bind(i64::try_from(size).unwrap_or(i64::MAX))
                .fetch_one(session.connection())
                .await
                .and_then(|row| Ok((after.read(&row, 0)?, after.read(&row, 1)?)))
                .map_err(self.failed_among_documents())?;
            if last.is_empty() {
                self.end();
                return Ok(keys);
            }
            *after = last;
            if !keys.is_empty() || self.is_stopped() {
                return Ok(keys);
            }
        }
    }

    /// How many documents there are behind a key, about.
    pub(super) async fn expected(&self, session: &mut Session<'_>, after: &Keys) -> Result<u64> {
        let sql = &self.view.statements().sync;
        let expected: i64 = query_after(after, &sql.expected, &sql.expected_after)
            .fetch_one(session.connection())
            .await
            .and_then(|row| row.try_get(0))
            .map_err(self.failed())?;
        Ok(u64::try_from(expected).unwrap_or(0))
    }

    fn failed_among_documents(&self) -> impl FnOnce(sqlx::Error) -> Error + use<> {
        Error::on_table(Operation::FindStale, self.view.view.table)
    }

    fn failed(&self) -> impl FnOnce(sqlx::Error) -> Error + use<> {
        Error::on_table(Operation::ReadKeys, self.view.view.shape.table)
    }
}
