//! Documents that are left to the worker: written as changes, in the transaction that affects them.

use sqlx::{PgConnection, Row as _};

use crate::db::statement::Statement;
use crate::error::{Operation, Result};
use crate::mutation::token::SyncToken;
use crate::schema::key::Keys;
use crate::sql::queue::QueueSql;
use crate::sql::sync::MAX_BATCH;
use crate::view::Handle;

/// Leaves documents of one view to the worker. Returns the token of the transaction.
pub(crate) async fn leave(
    queue: &QueueSql,
    connection: &mut PgConnection,
    view: Handle,
    keys: &Keys,
) -> Result<SyncToken> {
    let mut token = SyncToken::default();
    for part in keys.chunks(MAX_BATCH) {
        let xid: String = Statement::composed(queue.write.clone(), Operation::LeaveDocuments)
            .on(view.view.table)
            .bind(queue.model)
            .bind(view.view.table.to_string())
            .bind(part.texts().collect::<Vec<_>>())
            .fetch_one(connection, |row| row.try_get(0))
            .await?;
        token = xid.parse().unwrap_or_default();
    }
    Ok(token)
}
