//! `SyncToken`: a transaction, to wait for its documents.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

use crate::db::statement::Statement;
use crate::error::{Operation, Result};

/// A transaction whose documents may be synced after its commit, by the worker. Passed to
/// [`ReadModel::wait_synced`](crate::ReadModel::wait_synced), perhaps in another process: it is
/// `Display` and `FromStr`, and serde writes it as a string.
///
/// ```
/// use fraiseql_runtime::SyncToken;
///
/// let token: SyncToken = "1234".parse().unwrap();
/// assert_eq!(token.to_string(), "1234");
/// assert_eq!(SyncToken::default().to_string(), "0"); // a transaction that left nothing
/// ```
///
/// It holds for one database, until that is dumped and restored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct SyncToken {
    /// The transaction. 0 is none.
    pub(crate) xid: u64,
}

impl SyncToken {
    /// The token of the transaction that is open on a connection. It gets a transaction id, as if it had
    /// written something.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
    /// # #[derive(TView)]
    /// # struct Post { id: i64, title: String }
    /// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL)", async |pool| {
    /// # let blog = ReadModel::builder().view::<Post>().build()?;
    /// # blog.migrate(&pool).await?;
    /// let mut tx = pool.begin().await?;
    /// sqlx::query("INSERT INTO tb_post VALUES (7, 'Notes')").execute(&mut *tx).await?;
    /// blog.defer(&mut tx).changed::<Post>(&[7]).await?;
    /// let token = SyncToken::current(&mut tx).await?;
    /// tx.commit().await?;
    ///
    /// # blog.worker(&pool).drain().await?; // elsewhere
    /// blog.wait_synced(&pool, token).await?;
    /// # assert!(Post::find(&pool, 7).await?.is_some());
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    /// If the query fails.
    pub async fn current(connection: &mut PgConnection) -> Result<Self> {
        let sql = "SELECT pg_catalog.pg_current_xact_id()::text";
        let xid: String = Statement::new(sql, Operation::ReadToken)
            .fetch_one(connection, |row| sqlx::Row::try_get(row, 0))
            .await?;
        Ok(xid.parse().unwrap_or_default())
    }

    /// Whether the transaction has left nothing to wait for.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.xid == 0
    }
}

impl fmt::Display for SyncToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.xid.fmt(f)
    }
}

/// A text is not a [`SyncToken`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a token of a transaction, which is a number")]
pub struct ParseTokenError(String);

impl FromStr for SyncToken {
    type Err = ParseTokenError;

    fn from_str(text: &str) -> std::result::Result<Self, ParseTokenError> {
        let xid = text.parse().map_err(|_| ParseTokenError(text.to_owned()))?;
        Ok(Self { xid })
    }
}

impl From<SyncToken> for String {
    fn from(token: SyncToken) -> Self {
        token.to_string()
    }
}

impl TryFrom<String> for SyncToken {
    type Error = ParseTokenError;

    fn try_from(text: String) -> std::result::Result<Self, ParseTokenError> {
        text.parse()
    }
}
