//! Likes, counted in the background.
//!
//! Syncing a popular post in the transaction of each like would serialize all likes on the row of
//! its document. So a like leaves the document to the worker, which syncs it once for all likes that it
//! finds: a hundred likes of one post write a hundred rows and a few documents.

use fraiseql_runtime::Changes;
use uuid::Uuid;

use super::Result;
use crate::rows;

/// **In the background**: the mutation that runs this is [deferred](fraiseql_runtime::Mutation::defer). What
/// is to be synced is committed together with the like, so that a process that is killed loses nothing: the
/// next one, or any other, syncs the post. A like that exists is not marked.
///
/// # Errors
/// If the post or the user does not exist.
pub async fn like(db: &mut (impl rows::Likes + Changes), post: Uuid, user: Uuid) -> Result<()> {
    let new = db.insert_like(post, user).await?;
    db.changed_rows("tb_like", "fk_post", new.as_slice())?;
    Ok(())
}
