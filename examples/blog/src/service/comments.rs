//! Commands on comments. A comment has its own document, is embedded in that of its post, and is
//! counted in that of its author.

use fraiseql_runtime::Changes;
use uuid::Uuid;

use super::{Result, text};
use crate::rows::Comments;
use crate::views::Comment;

/// The longest comment, in characters.
const MAX_CONTENT: usize = 10_000;

/// **Several views**: the documents of the comment, of its post and of its author are synced. Only
/// the inserted row is marked.
///
/// # Errors
/// If the post or the author does not exist, or the text is invalid.
pub async fn create(
    db: &mut (impl Comments + Changes),
    post: Uuid,
    author: Uuid,
    content: &str,
) -> Result<Uuid> {
    text::required("content", content, MAX_CONTENT)?;
    let id = db.insert_comment(post, author, content).await?;
    db.inserted::<Comment>(&[id]);
    Ok(id)
}

/// **A deleted row** is marked before: the mutation looks which post and which author it belongs to.
/// Returns that post.
///
/// # Errors
/// If the comment does not exist.
pub async fn delete(db: &mut (impl Comments + Changes), id: Uuid) -> Result<Uuid> {
    db.lock_comment(id, None).await?;
    db.changing::<Comment>(&[id]).await?;
    db.delete_comment(id).await
}

/// **A move**: both posts are synced, the one that loses the comment and the one that gets it. The
/// first is known before the move only.
///
/// # Errors
/// If the comment or the post does not exist.
pub async fn move_to(db: &mut (impl Comments + Changes), id: Uuid, post: Uuid) -> Result<()> {
    db.lock_comment(id, Some(post)).await?;
    db.changing::<Comment>(&[id]).await?;
    db.move_comment(id, post).await
}
