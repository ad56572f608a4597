//! The read model: the views of one application.

use std::collections::HashMap;

use crate::error::{Error, Result};
use crate::sql::ddl::remedy::qualified;
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
}

/// Collects views; see [`ReadModel::builder`].
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct ReadModelBuilder {
    views: Vec<Handle>,
}

impl ReadModelBuilder {
    /// Adds a view.
    pub fn view<V: TView>(mut self) -> Self {
        self.views.push(V::handle());
        self
    }

    /// The read model.
    ///
    /// # Errors
    /// When two views have the same view table, or indexes or partitions of the same name.
    pub fn build(self) -> Result<ReadModel> {
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
        Ok(ReadModel { views: self.views })
    }
}

impl ReadModelBuilder {
    /// Tables, partitions and indexes share the names of a schema.
    fn check_names(&self) -> Result<()> {
        let mut names = HashMap::new();
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
}
