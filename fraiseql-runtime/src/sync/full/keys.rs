//! The keys that a full sync goes through, and how many there are.

use sqlx::Row;

use super::run::Run;
use crate::error::{Error, Result};
use crate::key::Keys;
use crate::sync::target::Session;
use crate::sync::telemetry;

impl Run<'_> {
    pub(super) async fn next_keys(
        &self,
        session: &mut Session<'_>,
        after: &Keys,
        size: usize,
    ) -> Result<Keys> {
        let sql = &self.view.statements().sync;
        let query = if after.is_empty() {
            telemetry::statement(&sql.first_keys);
            sqlx::query(sql.first_keys.as_str())
        } else {
            telemetry::statement(&sql.next_keys);
            after.bind(sqlx::query(sql.next_keys.as_str()))
        };
        query
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
            let query = if after.is_empty() {
                telemetry::statement(&sql.first_keys);
                sqlx::query(sql.first_keys.as_str())
            } else {
                telemetry::statement(&sql.next_keys);
                after.bind(sqlx::query(sql.next_keys.as_str()))
            };
            let (keys, last) = query
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
        let query = if after.is_empty() {
            telemetry::statement(&sql.expected);
            sqlx::query(sql.expected.as_str())
        } else {
            telemetry::statement(&sql.expected_after);
            after.bind(sqlx::query(sql.expected_after.as_str()))
        };
        let expected: i64 = query
            .fetch_one(session.connection())
            .await
            .and_then(|row| row.try_get(0))
            .map_err(self.failed())?;
        Ok(u64::try_from(expected).unwrap_or(0))
    }

    fn failed_among_documents(&self) -> impl FnOnce(sqlx::Error) -> Error + use<> {
        Error::database(format!(
            "looking for documents of another shape in {}",
            self.view.view.table
        ))
    }

    fn failed(&self) -> impl FnOnce(sqlx::Error) -> Error + use<> {
        Error::database(format!(
            "reading the keys of {}",
            self.view.view.shape.table
        ))
    }
}
