//! The read model: the views of one application, and their setup.

use std::sync::Arc;

use sqlx::{Acquire, Connection, Executor, PgConnection, Postgres, Row};

use crate::error::{Error, Result};
use crate::sql::ddl::{EXISTING, HAS_LZ4};
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
    views: Vec<Handle>,
    watchers: Arc<Watchers>,
}

/// Collects views; see [`ReadModel::builder`].
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct ReadModelBuilder {
    views: Vec<Handle>,
    watchers: Watchers,
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

    /// The read model.
    ///
    /// # Errors
    /// When two views have the same view table, or the log's table cannot have its name.
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
        Ok(ReadModel {
            views: self.views,
            watchers: Arc::new(self.watchers),
        })
    }
}

/// What instances of an application take, so that one migrates at a time: "fraiseql".
const MIGRATION_LOCK: i64 = i64::from_be_bytes(*b"fraiseql");

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
        Observed::new(target, Arc::clone(&self.watchers))
    }

    /// Creates the view tables, their promoted columns and their indexes, where they are
    /// missing. Does nothing, and locks no table, where nothing is missing; several
    /// instances may start at once.
    ///
    /// A promoted column that is added to a table with documents is null until they are
    /// synced again, for instance by `sync_all_posts`.
    ///
    /// # Errors
    /// When the database refuses a statement. Then nothing was changed.
    pub async fn migrate<'a>(&self, database: impl Acquire<'a, Database = Postgres>) -> Result<()> {
        let failed = || Error::database("migrating the view tables");
        let mut connection = database.acquire().await.map_err(failed())?;
        let mut transaction = Connection::begin(&mut *connection)
            .await
            .map_err(failed())?;
        sqlx::query("SELECT pg_catalog.pg_advisory_xact_lock($1)")
            .bind(MIGRATION_LOCK)
            .execute(&mut *transaction)
            .await
            .map_err(failed())?;
        let lz4: Option<bool> = sqlx::query_scalar(HAS_LZ4)
            .fetch_optional(&mut *transaction)
            .await
            .map_err(failed())?;
        for view in &self.views {
            migrate(&mut transaction, *view, lz4 == Some(true))
                .await
                .map_err(Error::database(format!("migrating {}", view.view.table)))?;
        }
        if let Some(log) = &self.watchers.log {
            log.migrate(&mut transaction).await?;
        }
        transaction.commit().await.map_err(failed())
    }
}

async fn migrate(connection: &mut PgConnection, view: Handle, lz4: bool) -> sqlx::Result<()> {
    let ddl = &view.statements().ddl;
    let table = view.view.table;
    let existing = sqlx::query(EXISTING)
        .bind(table.schema)
        .bind(table.name)
        .fetch_optional(&mut *connection)
        .await?;
    let (columns, indexes): (Vec<String>, Vec<String>) = match existing {
        Some(row) => (row.try_get(0)?, row.try_get(1)?),
        None => {
            let create: &'static str = if lz4 {
                &ddl.create_table_lz4
            } else {
                &ddl.create_table
            };
            connection.execute(create).await?;
            (
                ddl.columns.iter().map(|step| step.name.clone()).collect(),
                Vec::new(),
            )
        }
    };
    let missing_columns = ddl.columns.iter().filter(|s| !columns.contains(&s.name));
    let missing_indexes = ddl.indexes.iter().filter(|s| !indexes.contains(&s.name));
    for step in missing_columns.chain(missing_indexes) {
        let sql: &'static str = &step.sql;
        connection.execute(sql).await?;
    }
    Ok(())
}
