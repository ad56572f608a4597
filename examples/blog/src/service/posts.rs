//! Posts, from the draft to the end.

use fraiseql_runtime::Changes;
use uuid::Uuid;

use super::{Error, Result, text};
use crate::rows::{NewPost, PostChange, Posts, Updated};
use crate::views::Post;

/// The longest texts, in characters.
const TITLE: usize = 200;
const CONTENT: usize = 100_000;
const TAG: usize = 40;
/// The most posts of one call.
const MOST_POSTS: usize = 1_000;
/// The most tags of one call.
const MOST_TAGS: usize = 50;

/// **Several entities**: the post, and its author, whose document counts posts. Nobody here has
/// to know that.
///
/// # Errors
/// When there is no such author, or a text cannot be.
pub async fn create(db: &mut (impl Posts + Changes), author: Uuid, post: NewPost) -> Result<Uuid> {
    let ids = create_all(db, author, &[post]).await?;
    Ok(ids[0])
}

/// **A batch**: one statement writes the rows, and one syncs the documents, however many there
/// are.
///
/// # Errors
/// When there is no such author, a text cannot be, or there are too many posts.
pub async fn create_all(
    db: &mut (impl Posts + Changes),
    author: Uuid,
    posts: &[NewPost],
) -> Result<Vec<Uuid>> {
    at_most("posts", posts.len(), MOST_POSTS)?;
    for post in posts {
        text::required("title", &post.title, TITLE)?;
        text::optional("content", &post.content, CONTENT)?;
    }
    let ids = db.insert_posts(author, posts).await?;
    db.inserted::<Post>(&ids); // there is nothing to look for in the past
    Ok(ids)
}

/// **Optimistic locking**: the change is made to the version that was read, or not at all.
///
/// # Errors
/// [`Error::Conflict`] when the post has another version; when there is no such post, or a text
/// cannot be.
pub async fn update(
    db: &mut (impl Posts + Changes),
    id: Uuid,
    version: i32,
    change: &PostChange,
) -> Result<()> {
    if let Some(title) = &change.title {
        text::required("title", title, TITLE)?;
    }
    if let Some(content) = &change.content {
        text::optional("content", content, CONTENT)?;
    }
    match db.update_post(id, version, change).await? {
        Updated::Done => {
            db.changed::<Post>(&[id]);
            Ok(())
        }
        Updated::Stale(stored) => Err(Error::Conflict {
            id,
            stored,
            read: version,
        }),
    }
}

/// **Nothing to sync where nothing changed**: a post is published once.
///
/// # Errors
/// When there is no such post.
pub async fn publish(db: &mut (impl Posts + Changes), id: Uuid) -> Result<()> {
    let is_new = db.publish_post(id).await?;
    if is_new {
        db.changed::<Post>(&[id]); // the author's document counts it from now on
    }
    Ok(())
}

/// **A cascade**: the documents of the comments go with the post. Answers with the author, who
/// has one post less.
///
/// # Errors
/// When there is no such post.
pub async fn delete(db: &mut (impl Posts + Changes), id: Uuid) -> Result<Uuid> {
    let author = db.delete_post(id).await?;
    db.changed::<Post>(&[id]);
    Ok(author)
}

/// **Rows of a join table**: no struct has them, so they are named by table and column.
///
/// # Errors
/// When there is no such post, a tag cannot be, or there are too many.
pub async fn tag(db: &mut (impl Posts + Changes), id: Uuid, tags: &[String]) -> Result<()> {
    at_most("tags", tags.len(), MOST_TAGS)?;
    for tag in tags {
        text::name("tag", tag, TAG)?;
    }
    let pk_post = db.tag_post(id, tags).await?;
    db.changed_rows("tb_post_tag", "fk_post", &[pk_post])?;
    Ok(())
}

fn at_most(what: &str, count: usize, most: usize) -> Result<()> {
    if count > most {
        let told = format!("{count} {what} are too many: send {most} at a time");
        return Err(Error::Invalid(told));
    }
    Ok(())
}
