//! `ReadModelBuilder`: collects the views and the settings of a read model, and refuses names that
//! collide.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::model::in_schema::Schemas;
use crate::model::read_model::ReadModel;
use crate::mutation::capture::Capture;
use crate::mutation::committed_reader::DEFAULT_WAIT;
use crate::mutation::context::MutationContext;
use crate::mutation::limits::Limits;
use crate::read::typed::TView;
use crate::schema::Storage;
use crate::schema::default_schema::DefaultSchema;
use crate::sql::ddl::remedy::qualified;
use crate::sql::feed;
use crate::sql::function::change::CHANGE_TABLE;
use crate::sql::rebuild::TABLE as BOOKKEEPING;
use crate::sync::event::SyncObserver;
use crate::sync::log::SyncLog;
use crate::sync::watch::Observers;
use crate::view::Handle;

/// Collects the views and the settings of a read model; see [`ReadModel::builder`].
#[derive(Clone, Debug)]
#[must_use]
pub struct ReadModelBuilder {
    views: Vec<Handle>,
    observers: Observers,
    limits: Limits,
    second_connection_wait: Duration,
    capture: Capture,
    positions: bool,
    feed: bool,
}

impl Default for ReadModelBuilder {
    fn default() -> Self {
        Self {
            views: Vec::new(),
            observers: Observers::default(),
            limits: Limits::default(),
            second_connection_wait: DEFAULT_WAIT,
            capture: Capture::default(),
            positions: true,
            feed: false,
        }
    }
}

impl ReadModel {
    /// Begins a read model without views.
    pub fn builder() -> ReadModelBuilder {
        ReadModelBuilder::default()
    }
}

impl ReadModelBuilder {
    /// Adds a view.
    pub fn view<V: TView>(mut self) -> Self {
        self.views.push(V::handle());
        self
    }

    /// Logs to a table every batch that runs on [`ReadModel::on`]. `migrate` creates the table.
    pub fn sync_log(mut self, log: SyncLog) -> Self {
        self.observers.log = Some(log);
        self
    }

    /// Calls `observer` after every batch that runs on [`ReadModel::on`]. There can be several.
    pub fn observe(mut self, observer: impl SyncObserver + 'static) -> Self {
        self.observers.list.push(Arc::new(observer));
        self
    }

    /// Sets how many documents one [`Mutation`](crate::Mutation) may sync.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets how long a [`Mutation`](crate::Mutation) waits for a second connection of its pool, if it
    /// has to read rows as they were before it changed them. The default is 250 milliseconds: while it
    /// waits, it holds its row locks. For some seconds after one has waited in vain, those of
    /// [`mutate`](crate::ReadModel::mutate) do not wait, but run again at once. With
    /// [`Duration::ZERO`], it uses none. Rows that are marked by
    /// [`changing`](crate::Mutation::changing) need no second connection.
    pub fn second_connection_wait(mut self, wait: Duration) -> Self {
        self.second_connection_wait = wait;
        self
    }

    /// Sets whether triggers of base tables write what is changed there; see [`Capture`]. `migrate` creates
    /// them.
    pub fn capture(mut self, capture: Capture) -> Self {
        self.capture = capture;
        self
    }

    /// Sets whether a mutation reads the [position](crate::MutationReport::position) of its commit, for reads on
    /// replicas. By default it does: the message of the commit has one statement more, and afterwards the connection is busy
    /// for another one, for which nobody waits. Without replicas, `positions(false)` saves both.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
    /// # #[derive(TView)]
    /// # struct Post { id: i64, title: String }
    /// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL)", async |pool| {
    /// let blog = ReadModel::builder().view::<Post>().positions(false).build()?;
    /// # blog.migrate(&pool).await?;
    /// let m = blog.mutation(&pool).await?;
    /// assert!(m.commit().await?.position().is_none());
    /// # Ok(()) }) }
    /// ```
    pub fn positions(mut self, read: bool) -> Self {
        self.positions = read;
        self
    }

    /// Notes which documents change, for a [`Feed`](crate::feed::Feed): `migrate` creates two tables, and triggers
    /// on the view tables. They cost one small row for each statement that writes documents.
    pub fn feed(mut self) -> Self {
        self.feed = true;
        self
    }

    /// Builds the read model.
    ///
    /// # Errors
    /// If two views have the same view table, or indexes or partitions of the same name, or if no
    /// table can have the name of the sync log.
    pub fn build(self) -> Result<ReadModel> {
        let schemas = Arc::new(Schemas::new(self.clone()));
        let (views, context) = self.context(DefaultSchema::DECLARED)?;
        Ok(ReadModel::of(views, context, schemas))
    }

    /// The views in a schema.
    pub(super) fn views_in(&self, schema: DefaultSchema) -> Vec<Handle> {
        let views = self.views.iter();
        views.map(|view| view.in_schema(schema)).collect()
    }

    /// The views in a schema, and what their mutations share.
    pub(super) fn context(
        mut self,
        schema: DefaultSchema,
    ) -> Result<(Vec<Handle>, Arc<MutationContext>)> {
        if let Some(log) = &mut self.observers.log {
            log.check()?;
            *log = log.in_schema(schema);
        }
        self.views = self.views_in(schema);
        let stored: Vec<Handle> = self.stored().copied().collect();
        for (index, view) in stored.iter().enumerate() {
            let twin = stored[..index]
                .iter()
                .find(|other| other.view.table == view.view.table);
            if let Some(twin) = twin {
                return Err(Error::DuplicateView {
                    table: view.view.table,
                    first: twin.view.shape.name,
                    second: view.view.shape.name,
                });
            }
        }
        self.check_names()?;
        let (synced, unsynced): (Vec<Handle>, Vec<Handle>) = self
            .views
            .iter()
            .partition(|handle| handle.view.is_synced());
        let context = MutationContext::new(
            synced,
            &unsynced,
            self.capture,
            self.observers,
            self.limits,
            self.second_connection_wait,
            schema,
        );
        let context = context.with_positions(self.positions).with_feed(self.feed);
        Ok((self.views, Arc::new(context)))
    }

    /// The views that have a table or a materialized view.
    fn stored(&self) -> impl Iterator<Item = &Handle> {
        let views = self.views.iter();
        views.filter(|handle| handle.view.storage != Storage::Live)
    }

    /// Refuses a name that is used twice: tables, partitions and indexes share the namespace of
    /// their schema.
    fn check_names(&self) -> Result<()> {
        let mut names = HashMap::new();
        // Each schema with a view table has a bookkeeping table.
        for handle in self.stored() {
            names.insert((handle.view.table.schema, BOOKKEEPING), "a rebuild");
        }
        // The least schema has the table of changes.
        if let Some(schema) = self.stored().map(|it| it.view.table.schema).min() {
            names.insert((schema, CHANGE_TABLE), "captured changes");
            for table in [feed::CHANGES, feed::STATE]
                .into_iter()
                .filter(|_| self.feed)
            {
                names.insert((schema, table), "the feed of documents");
            }
        }
        for handle in self.stored() {
            let (view, ddl) = (handle.view, &handle.statements().ddl);
            let partitions = ddl
                .partitions
                .iter()
                .map(|partition| partition.name.as_str());
            let indexes = ddl.indexes.iter().map(|index| index.name.as_str());
            for name in [view.table.name]
                .into_iter()
                .chain(partitions)
                .chain(indexes)
            {
                let schema = view.table.schema;
                if let Some(first) = names.insert((schema, name), view.shape.name) {
                    return Err(Error::DuplicateName {
                        name: qualified(schema, name),
                        first,
                        second: view.shape.name,
                    });
                }
            }
        }
        Ok(())
    }
}
