//! Compares the bounds of a view table's partitions with the order of the database's collation.
//!
//! The compiler has checked that the bounds ascend, byte by byte. A database orders texts by its
//! collation, and `en_US` orders `a` before `G`, for example.

use sqlx::{PgConnection, Row as _};

use crate::db::statement::Statement;
use crate::error::{Operation, Result};
use crate::schema::{Partition, View};
use crate::sql::ddl::catalog;

/// The bounds of partitions in two orders, as lists for a message.
pub(crate) struct PartitionBounds {
    /// In the order of the attribute.
    pub(crate) written: String,
    /// In the order of the database's collation.
    pub(crate) ordered: String,
}

/// The bounds of a view's partitions, if the collation orders them differently from the
/// attribute.
pub(crate) async fn out_of_order(
    connection: &mut PgConnection,
    view: &View,
    operation: Operation,
) -> Result<Option<PartitionBounds>> {
    let Some(Partition::Range(written)) = view.parameters.partition else {
        return Ok(None);
    };
    // All other keys have one order in every database.
    if view.key.sql_type() != "text" {
        return Ok(None);
    }
    let ordered: Vec<String> = Statement::new(catalog::IN_ORDER, operation)
        .uncached()
        .bind(written)
        .fetch_one(connection, |row| row.try_get(0))
        .await?;
    Ok((ordered != written).then(|| PartitionBounds {
        written: written.join(", "),
        ordered: ordered.join(", "),
    }))
}
