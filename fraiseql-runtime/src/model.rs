//! The read model: the views of one application.

use std::collections::HashMap;
use std::sync::Arc;

use crate::dependents::index::Index;
use crate::error::{Error, Result};
use crate::mutation::limits::Limits;
use crate::mutation::past::Spare;
use crate::sql::ddl::remedy::qualified;
use crate::sql::rebuild::TABLE as BOOKKEEPING;
use crate::sync::log::SyncLog;
use crate::sync::observe::{Observed, SyncObserver, Watchers};
use crate::view::{Handle, TView};

/// The views of one application.
///
/// ```
/// use fraiseql_runtime::{ReadModel, TView};
///
/// #[derive(TView)]
/// struct Post { id: uuid::Uuid, title: String }
///
/// # fn main() -> fraiseql_runtime::Result<()> {
/// let blog = ReadModel::builder().view::<Post>().build()?;
/// assert_eq!(blog.views().count(), 1);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct ReadModel {
    pub(crate) views: Vec<Handle>,
    pub(crate) watchers: Arc<Watchers>,
    pub(crate) dependents: Arc<Index>,
    pub(crate) limits: Limits,
    pub(crate) spare: Arc<Spare>,
}

/// Collects views; see [`ReadModel::builder`].
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct ReadModelBuilder {
    views: Vec<Handle>,
    watchers: Watchers,
    limits: Limits,
}

impl ReadModelBuilder {
    /// Adds a view.
    pub fn view<V: TView>(mut self) -> Self {
        self.views.push(V::handle());
        self
    }

    /// Logs every batch that runs on [`ReadModel::on`] to a table, which `migrate` creates.
    pub fn sync_log(mut self, log: SyncLog) -> Self {
        self.watchers.log = Some(log);
        self
    }

    /// Tells `observer` of every batch that runs on [`ReadModel::on`]. There can be several.
    pub fn observe(mut self, observer: impl SyncObserver + 'static) -> Self {
        self.watchers.observers.push(Arc::new(observer));
        self
    }

    /// Bounds what one [`Mutation`](crate::Mutation) may touch.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The read model.
    ///
    /// # Errors
    /// When two views have the same view table, or indexes or partitions of the same name, or
    /// the log's table cannot have its name.
    pub fn build(self) -> Result<ReadModel> {
        if let Some(log) = &self.watchers.log {
            log.check()?;
        }
        for (index, view) in self.views.iter().enumerate() {
            let twin = self.views[..index]
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
        Ok(ReadModel {
            dependents: Arc::new(Index::of(&self.views)),
            limits: self.limits,
            spare: Arc::default(),
            views: self.views,
            watchers: Arc::new(self.watchers),
        })
    }
}

impl ReadModelBuilder {
    /// Tables, partitions and indexes share the names of a schema.
    fn check_names(&self) -> Result<()> {
        let mut names = HashMap::new();
        // The bookkeeping table is beside each view table.
        for handle in &self.views {
            names.insert((handle.view.table.schema, BOOKKEEPING), "a rebuild");
        }
        for handle in &self.views {
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

impl ReadModel {
    /// Starts to list the views.
    pub fn builder() -> ReadModelBuilder {
        ReadModelBuilder::default()
    }

    /// The views, in the order they were added.
    pub fn views(&self) -> impl Iterator<Item = &'static crate::schema::View> + '_ {
        self.views.iter().map(|handle| handle.view)
    }

    pub(crate) fn handles(&self) -> impl Iterator<Item = Handle> + '_ {
        self.views.iter().copied()
    }

    /// A target whose batches are told to the [observers](ReadModelBuilder::observe) and the
    /// [log](ReadModelBuilder::sync_log) of this read model. It is cheap.
    ///
    /// ```no_run
    /// # use fraiseql_runtime::ReadModel;
    /// # #[derive(fraiseql_runtime::TView)]
    /// # struct Post { id: i64 }
    /// # async fn run(blog: ReadModel, pool: sqlx::PgPool) -> Result<(), Box<dyn std::error::Error>> {
    /// sync_post(blog.on(&pool), &[7]).await?;
    /// sync_all_posts(blog.on(&pool)).await?;
    ///
    /// let mut tx = pool.begin().await?;
    /// sync_post(blog.on(&mut tx), &[7]).await?;
    /// tx.commit().await?;
    ///
    /// let target = blog.on(pool); // for a service that holds its target
    /// sync_post(&target, &[7]).await?;
    /// # Ok(()) }
    /// # fn main() {}
    /// ```
    pub fn on<T>(&self, target: T) -> Observed<T> {
        Observed::new(target, Arc::clone(&self.watchers))
    }
}
