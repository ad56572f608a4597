//! `EarlyLook`: what a mutation knows of rows before it changes them.
//!
//! The look is in the mutation's own transaction, so it sees what the mutation may see, and needs no
//! other connection. The rows are locked as they are read, so that what was seen is what the
//! mutation then overwrites.

use std::sync::Arc;

use sqlx::PgConnection;

use crate::error::Result;
use crate::mutation::dependents::cascade::{Cascades, Search, image_columns, starts};
use crate::mutation::dependents::foreign_keys::ForeignKeys;
use crate::mutation::dependents::images::{Images, Wanted};
use crate::mutation::dependents::index::DependencyIndex;
use crate::schema::columns::ColumnNames;
use crate::schema::key::Keys;
use crate::schema::{Table, TableName};

/// Rows as they were before they were changed, and the rows that foreign keys would delete or change
/// with them.
#[derive(Debug)]
pub(super) struct EarlyLook {
    pub(super) table: Table,
    /// The columns by which the rows were looked up.
    pub(super) columns: ColumnNames,
    pub(super) keys: Keys,
    pub(super) images: Images,
    pub(super) foreign_keys: Arc<ForeignKeys>,
    pub(super) cascades: Cascades,
    /// It was not asked for: an earlier run of the same work has marked these rows. It counts only
    /// if this run marks them as well.
    pub(super) foreseen: bool,
}

/// Looks up the rows of `table` whose columns have one of `keys`, and locks them.
pub(super) async fn look(
    index: &DependencyIndex,
    connection: &mut PgConnection,
    limit: usize,
    (table, columns, keys): (Table, ColumnNames, Keys),
) -> Result<EarlyLook> {
    let foreign_keys = ForeignKeys::load(connection, [table]).await?;
    let image_columns = image_columns(index, table, &foreign_keys, &columns);
    let wanted = Wanted {
        table: TableName::from(table),
        only: false,
        columns: &image_columns,
        lock: foreign_keys.is_lockable(table),
        limit,
    };
    let images = wanted
        .by_columns(index, connection, &columns, &keys)
        .await?;
    let search = Search {
        index,
        foreign_keys: &foreign_keys,
        limit,
        lock: true,
    };
    // All of them may be deleted.
    let none = Images::default();
    let starts = starts(&foreign_keys, table, &images, &none, false);
    let cascades = search.run(connection, None, starts).await?;
    Ok(EarlyLook {
        table,
        columns,
        keys,
        images,
        foreign_keys: Arc::new(foreign_keys),
        cascades,
        foreseen: false,
    })
}
