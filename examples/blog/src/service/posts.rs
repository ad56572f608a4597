//! Commands on posts.

use fraiseql_runtime::Changes;
use uuid::Uuid;

use super::{Error, Result, text};
use crate::rows::{NewPost, PostChange, Posts, UpdateOutcome};
use crate::views::Post;

/// The longest texts, in characters.
const MAX_TITLE: usize = 200;
const MAX_CONTENT: usize = 100_000;
const MAX_TAG: usize = 40;
/// The most posts of one call.
const MAX_POSTS: usize = 1_000;
/// The most tags of one call.
const MAX_TAGS: usize = 50;

/// **Several views**: the post, and its author, whose document counts posts. This function does
/// not need to know that.
///
/// # Errors
/// If the author does not exist, or a text is invalid.
pub async fn create(db: &mut (impl Posts + Changes), author: Uuid, post: NewPost) -> Result<Uuid> {
    let ids = create_all(db, author, &[post]).await?;
    Ok(ids[0])
}

/// **A batch**: one statement inserts all rows, and all documents are synced together.
///
/// # Errors
/// If the author does not exist, a text is invalid, or there are too many posts.
pub async fn create_all(
    db: &mut (impl Posts + Changes),
    author: Uuid,
    posts: &[NewPost],
) -> Result<Vec<Uuid>> {
    at_most("posts", posts.len(), MAX_POSTS)?;
    for post in posts {
        text::required("title", &post.title, MAX_TITLE)?;
        text::optional("content", &post.content, MAX_CONTENT)?;
    }
    let ids = db.insert_posts(author, posts).await?;
    // A new row had no dependents before, so the mutation need not read the past.
    db.inserted::<Post>(&ids);
    Ok(ids)
}

/// **Optimistic locking**: the change is made only if the post still has the version that the
/// client has read.
///
/// # Errors
/// [`Error::Conflict`] if the post has another version; or if the post does not exist, or a text is
/// invalid.
pub async fn update(
    db: &mut (impl Posts + Changes),
    id: Uuid,
    version: i32,
    change: &PostChange,
) -> Result<()> {
    if let Some(title) = &change.title {
        text::required("title", title, MAX_TITLE)?;
    }
    if let Some(content) = &change.content {
        text::optional("content", content, MAX_CONTENT)?;
    }
    match db.update_post(id, version, change).await? {
        UpdateOutcome::Updated => {
            db.changed::<Post>(&[id]);
            Ok(())
        }
        UpdateOutcome::VersionMismatch(stored) => Err(Error::Conflict {
            id,
            stored,
            read: version,
        }),
    }
}

/// **No mark if nothing changed**: publishing a published post syncs nothing.
///
/// # Errors
/// If the post does not exist.
pub async fn publish(db: &mut (impl Posts + Changes), id: Uuid) -> Result<()> {
    let was_draft = db.publish_post(id).await?;
    if was_draft {
        // Its author is synced too, whose document counts published posts.
        db.changed::<Post>(&[id]);
    } else {
        // The row was written, with the values that it had: a strict mutation is told.
        db.changed::<Post>(&[]);
    }
    Ok(())
}

/// **A cascade**: the documents of the post's comments are deleted too. The mutation looks before which
/// rows go with the post. Returns the author, whose counts change.
///
/// # Errors
/// If the post does not exist.
pub async fn delete(db: &mut (impl Posts + Changes), id: Uuid) -> Result<Uuid> {
    db.lock_post(id).await?;
    db.changing::<Post>(&[id]).await?;
    db.delete_post(id).await
}

/// **Rows of a join table**, which has no struct: they are marked by table and column.
///
/// # Errors
/// If the post does not exist, a tag is invalid, or there are too many.
pub async fn tag(db: &mut (impl Posts + Changes), id: Uuid, tags: &[String]) -> Result<()> {
    at_most("tags", tags.len(), MAX_TAGS)?;
    for tag in tags {
        text::name("tag", tag, MAX_TAG)?;
    }
    let pk_post = db.tag_post(id, tags).await?;
    db.changed_rows("tb_post_tag", "fk_post", &[pk_post])?;
    Ok(())
}

fn at_most(what: &str, count: usize, max: usize) -> Result<()> {
    if count > max {
        let message = format!("{count} {what} are too many; the limit is {max}");
        return Err(Error::Invalid(message));
    }
    Ok(())
}
