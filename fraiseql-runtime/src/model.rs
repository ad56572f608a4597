//! The read model: the views of one application.

use crate::error::{Error, Result};
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
    /// When two views have the same view table.
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
        Ok(ReadModel { views: self.views })
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
}
