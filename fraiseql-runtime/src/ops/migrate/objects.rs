//! What a read model has in the database beside its view tables.

use crate::schema::View;
use crate::sql::capture::CaptureSql;
use crate::sql::feed::ModelFeed;
use crate::sql::function::FunctionDdl;
use crate::sql::function::model::AtCommit;

/// What a read model has in the database beside its view tables.
#[derive(Debug)]
pub(crate) struct ModelObjects<'a> {
    pub(crate) views: Vec<&'static View>,
    /// The model of its changes.
    pub(crate) id: i64,
    /// The schema of its change table.
    pub(crate) schema: &'static str,
    /// All functions, those that triggers call among them. Each stands after those that it calls.
    pub(crate) functions: Vec<&'a FunctionDdl>,
    /// `None` if changes are not captured.
    pub(crate) capture: Option<&'a CaptureSql>,
    /// `None` if nobody is to be told which documents change.
    pub(crate) feed: Option<&'a ModelFeed>,
    /// `None` if documents are not synced by every transaction when it commits.
    pub(crate) at_commit: Option<&'a AtCommit>,
}

impl ModelObjects<'_> {
    /// Whether triggers are to be created, for which functions are needed.
    pub(crate) const fn has_triggers(&self) -> bool {
        self.capture.is_some() || self.feed.is_some()
    }

    /// The functions that a role which syncs calls itself: all but those that triggers call. Functions that run with the privileges
    /// of their owner call others with these.
    pub(crate) fn called_functions(&self) -> impl Iterator<Item = &FunctionDdl> {
        let functions = self.functions.iter().copied();
        functions.filter(|function| !function.create.contains("\nRETURNS trigger\n"))
    }
}
