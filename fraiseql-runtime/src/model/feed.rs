//! `ReadModel::feed`: tells which documents change.

use sqlx::PgPool;

use crate::feed::FeedBuilder;
use crate::model::read_model::ReadModel;

impl ReadModel {
    /// A feed of the documents that change, if the read model was [built with one](crate::model::ReadModelBuilder::feed);
    /// see [`feed`](crate::feed). The pool is that of the primary: a replica does not know which transactions are open.
    pub fn feed(&self, pool: &PgPool) -> FeedBuilder {
        let feed = self.context.feed();
        FeedBuilder::new(feed.map(|feed| &feed.sql), self.schema(), pool)
    }
}
