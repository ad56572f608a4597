//! The reports of migrations of several schemas.

use crate::error::{Error, Result};
use crate::ops::migrate::Migration;

/// What [`ReadModel::migrate_schemas`](crate::ReadModel::migrate_schemas) did in each schema.
#[derive(Debug, Default)]
#[must_use = "a migration of one of them may have failed"]
pub struct SchemaMigrations(Vec<(String, Result<Migration>)>);

impl SchemaMigrations {
    pub(crate) fn push(&mut self, schema: &str, migration: Result<Migration>) {
        self.0.push((schema.to_owned(), migration));
    }

    /// The schemas that were migrated, in the order in which they were given.
    pub fn migrated(&self) -> impl Iterator<Item = (&str, &Migration)> {
        let all = self.0.iter();
        all.filter_map(|(schema, migration)| Some((schema.as_str(), migration.as_ref().ok()?)))
    }

    /// The schemas whose migration failed.
    pub fn failed(&self) -> impl Iterator<Item = (&str, &Error)> {
        let all = self.0.iter();
        all.filter_map(|(schema, migration)| Some((schema.as_str(), migration.as_ref().err()?)))
    }

    /// The migrations by schema.
    ///
    /// # Errors
    /// The first error, if there is one.
    pub fn into_result(self) -> Result<Vec<(String, Migration)>> {
        let all = self.0.into_iter();
        all.map(|(schema, migration)| Ok((schema, migration?)))
            .collect()
    }
}
