//! Comments. Each is in a document of its own, in that of its post, and counted in that of its
//! author.

use fraiseql_runtime::Changes;
use uuid::Uuid;

use super::{Result, text};
use crate::rows::Comments;
use crate::views::Comment;

/// The longest comment, in characters.
const CONTENT: usize = 10_000;

/// **Several entities**: the comment, the post that lists it, the author who has one more. One row
/// is named.
///
/// # Errors
/// When there is no such post or author, or the text cannot be.
pub async fn create(
    db: &mut (impl Comments + Changes),
    post: Uuid,
    author: Uuid,
    content: &str,
) -> Result<Uuid> {
    text::required("content", content, CONTENT)?;
    let id = db.insert_comment(post, author, content).await?;
    db.inserted::<Comment>(&[id]);
    Ok(id)
}

/// **What is gone** is named as if it were there: the post that it was on is found in the rows as
/// they were before. Answers with that post.
///
/// # Errors
/// When there is no such comment.
pub async fn delete(db: &mut (impl Comments + Changes), id: Uuid) -> Result<Uuid> {
    let post = db.delete_comment(id).await?;
    db.changed::<Comment>(&[id]);
    Ok(post)
}

/// **A move**: both posts are synced, the one that loses the comment and the one that gets it.
///
/// # Errors
/// When there is no such comment or post.
pub async fn move_to(db: &mut (impl Comments + Changes), id: Uuid, post: Uuid) -> Result<()> {
    db.move_comment(id, post).await?;
    db.changed::<Comment>(&[id]);
    Ok(())
}
