//! `ReadModel`: the views of one application.

use std::sync::Arc;

use crate::model::in_schema::Schemas;
use crate::mutation::context::MutationContext;
use crate::schema::View;
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
    /// Those whose documents are in a view table.
    pub(crate) synced: Vec<Handle>,
    /// Shared with the mutations that are open.
    pub(crate) context: Arc<MutationContext>,
    /// Shared with those of other schemas: see [`in_schema`](Self::in_schema).
    pub(super) schemas: Arc<Schemas>,
}

impl ReadModel {
    pub(super) fn of(
        views: Vec<Handle>,
        context: Arc<MutationContext>,
        schemas: Arc<Schemas>,
    ) -> Self {
        let synced = views.iter().copied();
        Self {
            synced: synced.filter(|handle| handle.view.is_synced()).collect(),
            views,
            context,
            schemas,
        }
    }

    /// The views, in the order in which they were added.
    pub fn views(&self) -> impl Iterator<Item = &'static View> + '_ {
        self.views.iter().map(|handle| handle.view)
    }

    /// A target whose batches are reported to the
    /// [observers](crate::model::ReadModelBuilder::observe) and the
    /// [sync log](crate::model::ReadModelBuilder::sync_log) of this read model. It is cheap.
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
        Observed::new(target, Arc::clone(&self.context.observers), self.schema())
    }
}
