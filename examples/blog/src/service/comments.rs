//! Comments. Each is in a document of its own, in its post's, and counted in its author's.

use fraiseql_runtime::Changes;
use uuid::Uuid;

use super::{Error, Result};
use crate::rows::Comments;
use crate::views::Comment;

/// Several entities: the comment, the post that lists it, the author who has one more.
///
/// # Errors
/// When there is no such post or author, or it has no text.
pub async fn create(
    db: &mut (impl Comments + Changes),
    post: Uuid,
    author: Uuid,
    content: &str,
) -> Result<Uuid> {
    if content.trim().is_empty() {
        return Err(Error::Invalid("a comment needs a text".to_owned()));
    }
    let id = db.insert_comment(post, author, content).await?;
    db.inserted::<Comment>(&[id]);
    Ok(id)
}

/// The post that it was on is found, though the row is gone. Answers with it.
///
/// # Errors
/// When there is none.
pub async fn delete(db: &mut (impl Comments + Changes), id: Uuid) -> Result<Uuid> {
    let post = db.delete_comment(id).await?;
    db.changed::<Comment>(&[id]);
    Ok(post)
}

/// A move: both posts are synced, the one that loses the comment and the one that gets it.
///
/// # Errors
/// When there is no such comment or post.
pub async fn move_to(db: &mut (impl Comments + Changes), id: Uuid, post: Uuid) -> Result<()> {
    db.move_comment(id, post).await?;
    db.changed::<Comment>(&[id]);
    Ok(())
}
