//! `Deferring`: leaves documents to the worker, in a transaction of the caller.

use std::fmt;
use std::sync::Arc;

use sqlx::{PgConnection, Row as _};

use crate::db::statement::{Statement, execute_all};
use crate::error::{Operation, Result};
use crate::mutation::change_set::ChangeSet;
use crate::mutation::context::MutationContext;
use crate::mutation::dependents::documents::Dependents;
use crate::mutation::dependents::find::find_dependents;
use crate::mutation::left::leave;
use crate::mutation::marker::{Marker, named_columns};
use crate::read::typed::TView;
use crate::schema::columns::ColumnNames;
use crate::schema::key::{Key, Keys};
use crate::schema::row_key::Keyed;
use crate::schema::{Table, View};

/// Leaves documents to the worker, in a transaction of the caller: begun by
/// [`ReadModel::defer`](crate::ReadModel::defer).
pub struct Deferring<'t> {
    context: Arc<MutationContext>,
    connection: &'t mut PgConnection,
}

impl<'t> Deferring<'t> {
    pub(crate) fn new(context: &Arc<MutationContext>, connection: &'t mut PgConnection) -> Self {
        Self {
            context: Arc::clone(context),
            connection,
        }
    }

    /// Leaves the documents that depend on rows of `T`'s table, as the tables are now in this transaction.
    /// Returns their number.
    ///
    /// Rows that are moved or deleted belong to other documents before: call it before the statement
    /// as well.
    ///
    /// # Errors
    /// If a query fails, or if no document is made of rows of that table.
    #[track_caller]
    pub fn changed<T: Keyed>(
        &mut self,
        keys: &[T::RowKey],
    ) -> impl Future<Output = Result<usize>> + Send {
        let marker = Marker {
            index: &self.context.index,
            marks: &mut ChangeSet::default(),
        };
        let table = marker.known::<T>("changed");
        let keys = Keys::of(keys);
        async move { self.rows(table?, T::SHAPE.key_columns().into(), keys).await }
    }

    /// Leaves the documents that depend on rows of a table without a struct, such as a join table: those
    /// whose `column` is one of `values`. Returns their number. A table in another schema than `public` is written
    /// `schema.table`.
    ///
    /// # Errors
    /// If a query fails, or if no document is made of rows of that table.
    pub async fn changed_rows<K: Key>(
        &mut self,
        table: &str,
        column: &str,
        values: &[K],
    ) -> Result<usize> {
        let table = self.context.index.table_named(table)?;
        let columns = named_columns::<K>(table, column)?;
        self.rows(table, columns, Keys::of(values)).await
    }

    /// Leaves documents of the view `V`, whichever rows were changed.
    ///
    /// # Errors
    /// If a query fails.
    pub async fn resync<V: TView>(&mut self, keys: &[V::Key]) -> Result<()> {
        let view = V::handle().in_schema(self.context.index.schema());
        self.announce(&[view.view]).await?;
        let queue = self.context.queue();
        leave(queue, self.connection, view, &Keys::of(keys)).await?;
        Ok(())
    }

    async fn rows(&mut self, table: Table, columns: ColumnNames, keys: Keys) -> Result<usize> {
        let mut dependents = Dependents::default();
        if keys.is_empty() {
            return Ok(0);
        }
        let context = Arc::clone(&self.context);
        let index = &context.index;
        let views = index.views_of(table);
        let former = self.announce(&views).await?;
        // With locks: no other transaction moves a row on the way before this one ends.
        let found = find_dependents(
            index,
            self.connection,
            table,
            &columns,
            &keys,
            true,
            usize::MAX,
        )
        .await?;
        if let Some(path) = former {
            let sql = "SELECT pg_catalog.set_config('search_path', $1, true)";
            Statement::new(sql, Operation::SessionSettings)
                .bind(path)
                .execute(self.connection)
                .await?;
        }
        for path in found.paths {
            dependents.add(path.view, path.keys);
        }
        let documents = dependents.len();
        for (view, keys) in dependents.into_views() {
            leave(context.queue(), self.connection, view, &keys).await?;
        }
        Ok(documents)
    }

    /// Lets syncs on a pool know that this transaction has changed rows, and sets the search path that the
    /// lookups need. Returns the path that it had, if it was changed.
    async fn announce(&mut self, views: &[&'static View]) -> Result<Option<String>> {
        let index = &self.context.index;
        let announce = (index.announce(views), Operation::Announce);
        let Some(path) = index.set_path(views) else {
            execute_all(self.connection, vec![announce]).await?;
            return Ok(None);
        };
        let sql = "SELECT pg_catalog.current_setting('search_path')";
        let former: String = Statement::new(sql, Operation::SessionSettings)
            .fetch_one(self.connection, |row| row.try_get(0))
            .await?;
        let path = (path, Operation::SessionSettings);
        execute_all(self.connection, vec![announce, path]).await?;
        Ok(Some(former))
    }
}

impl fmt::Debug for Deferring<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deferring").finish_non_exhaustive()
    }
}
