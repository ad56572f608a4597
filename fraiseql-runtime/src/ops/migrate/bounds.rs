//! Whether the bounds of a view table's partitions are in the order of the database.
//!
//! That they ascend is proved when compiling, byte by byte. A database orders texts by its
//! collation, and one such as `en_US` puts `a` before `G`.

use sqlx::PgConnection;

use crate::schema::{Partition, View};
use crate::sql::ddl::catalog;

/// The bounds as they were written, and in the database's order, where these are two orders.
pub(crate) async fn misplaced(
    connection: &mut PgConnection,
    view: &View,
) -> sqlx::Result<Option<(String, String)>> {
    let Some(Partition::Range(written)) = view.storage.partition else {
        return Ok(None);
    };
    if view.key.ty.sql != "text" {
        return Ok(None);
    }
    let ordered: Vec<String> = sqlx::query_scalar(catalog::IN_ORDER)
        .persistent(false)
        .bind(written)
        .fetch_one(connection)
        .await?;
    Ok((ordered != written).then(|| (written.join(", "), ordered.join(", "))))
}
