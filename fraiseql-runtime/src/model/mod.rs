//! The read model: the views of one application, and what can be done with all of them.
//!
//! Each file has the methods for one job; the work is done by the rooms below.

mod builder;
mod check;
mod dependents;
#[cfg(feature = "metrics")]
mod metrics;
mod migrate;
mod mutation;
mod rebuild;
mod verify;

use std::sync::Arc;

pub use self::builder::ReadModelBuilder;
use crate::mutation::context::Context;
use crate::sync::observed::Observed;
use crate::view::Handle;

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
    /// Shared with the mutations that are open.
    pub(crate) context: Arc<Context>,
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
        Observed::new(target, Arc::clone(&self.context.observers))
    }
}
