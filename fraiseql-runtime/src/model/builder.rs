//! Collects the views and the settings of a read model, and rejects names that collide.

use std::collections::HashMap;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::model::ReadModel;
use crate::mutation::context::Context;
use crate::mutation::dependents::index::Index;
use crate::mutation::limits::Limits;
use crate::mutation::past::Spare;
use crate::read::typed::TView;
use crate::sql::ddl::remedy::qualified;
use crate::sql::rebuild::TABLE as BOOKKEEPING;
use crate::sync::event::SyncObserver;
use crate::sync::log::SyncLog;
use crate::sync::watch::Observers;
use crate::view::Handle;

/// Collects views; see [`ReadModel::builder`].
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct ReadModelBuilder {
    views: Vec<Handle>,
    observers: Observers,
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
        self.observers.log = Some(log);
        self
    }

    /// Tells `observer` of every batch that runs on [`ReadModel::on`]. There can be several.
    pub fn observe(mut self, observer: impl SyncObserver + 'static) -> Self {
        self.observers.list.push(Arc::new(observer));
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
        if let Some(log) = &self.observers.log {
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
            context: Arc::new(Context {
                index: Index::of(&self.views),
                observers: Arc::new(self.observers),
                limits: self.limits,
                spare: Spare::default(),
            }),
            views: self.views,
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
