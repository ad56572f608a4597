//! `ReadModel::feed`: tells which documents change; and `ReadModel::sink`, which keeps copies of them.

use sqlx::PgPool;

use crate::feed::FeedBuilder;
use crate::feed::sink::SinkRunner;
use crate::model::read_model::ReadModel;

impl ReadModel {
    /// A feed of the documents that change, if the read model was [built with one](crate::model::ReadModelBuilder::feed);
    /// see [`feed`](crate::feed). The pool is that of the primary: a replica does not know which transactions are open.
    pub fn feed(&self, pool: &PgPool) -> FeedBuilder {
        let feed = self.context.feed();
        FeedBuilder::new(feed.map(|feed| &feed.sql), self.schema(), pool)
    }

    /// Keeps a copy of documents elsewhere, under a name by which it is known in the database; see
    /// [`feed::sink`](crate::feed::sink). It has all views whose documents are in a table; a sink for some of them is one of a
    /// read model of those.
    pub fn sink(&self, pool: &PgPool, name: &str) -> SinkRunner {
        let feed = self.context.feed();
        let feed = feed.map(|feed| &feed.sql);
        SinkRunner::new(feed, &self.synced, self.schema(), pool, name)
    }
}
