//! Posts, from the draft to the end.

use fraiseql_runtime::Changes;
use uuid::Uuid;

use super::{Error, Result};
use crate::rows::{NewPost, PostChange, Posts, Updated};
use crate::views::Post;

/// The most posts of one call.
const MOST_POSTS: usize = 1_000;
/// The most tags of one call.
const MOST_TAGS: usize = 50;

/// Several entities: the post, and its author, whose document counts posts. Nobody here has to
/// know that.
///
/// # Errors
/// When there is no such author, or the title is empty.
pub async fn create(db: &mut (impl Posts + Changes), author: Uuid, post: NewPost) -> Result<Uuid> {
    let ids = create_all(db, author, &[post]).await?;
    Ok(ids[0])
}

/// A batch: one statement writes the rows, and one syncs the documents, however many there are.
///
/// # Errors
/// When there is no such author, a title is empty, or there are too many posts.
pub async fn create_all(
    db: &mut (impl Posts + Changes),
    author: Uuid,
    posts: &[NewPost],
) -> Result<Vec<Uuid>> {
    if posts.len() > MOST_POSTS {
        let what = format!(
            "{} posts are too many: send {MOST_POSTS} at a time",
            posts.len()
        );
        return Err(Error::Invalid(what));
    }
    posts.iter().try_for_each(|post| titled(&post.title))?;
    let ids = db.insert_posts(author, posts).await?;
    db.inserted::<Post>(&ids);
    Ok(ids)
}

/// Optimistic locking: a change to what was read, or none.
///
/// # Errors
/// [`Error::Conflict`] when the post has another version; when there is none.
pub async fn update(
    db: &mut (impl Posts + Changes),
    id: Uuid,
    version: i32,
    change: &PostChange,
) -> Result<()> {
    if let Some(title) = &change.title {
        titled(title)?;
    }
    match db.update_post(id, version, change).await? {
        Updated::Done => db.changed::<Post>(&[id]),
        Updated::Stale(stored) => {
            return Err(Error::Conflict {
                id,
                stored,
                read: version,
            });
        }
    }
    Ok(())
}

/// Nothing to sync where nothing has changed: a post is published once.
///
/// # Errors
/// When there is none.
pub async fn publish(db: &mut (impl Posts + Changes), id: Uuid) -> Result<()> {
    if db.publish_post(id).await? {
        db.changed::<Post>(&[id]);
    }
    Ok(())
}

/// A cascade: the documents of the comments go with the post. Answers with the author, who has
/// one post less.
///
/// # Errors
/// When there is none.
pub async fn delete(db: &mut (impl Posts + Changes), id: Uuid) -> Result<Uuid> {
    let author = db.delete_post(id).await?;
    db.changed::<Post>(&[id]);
    Ok(author)
}

/// Rows of a join table: no struct has them, so they are named by table and column.
///
/// # Errors
/// When there is no such post, or a tag is empty.
pub async fn tag(db: &mut (impl Posts + Changes), id: Uuid, tags: &[String]) -> Result<()> {
    if tags.len() > MOST_TAGS || tags.iter().any(|tag| slug::slugify(tag).is_empty()) {
        let what =
            format!("a tag needs a letter or a digit, and there can be {MOST_TAGS} at a time");
        return Err(Error::Invalid(what));
    }
    let pk_post = db.tag_post(id, tags).await?;
    db.changed_rows("tb_post_tag", "fk_post", &[pk_post])?;
    Ok(())
}

fn titled(title: &str) -> Result<()> {
    if title.trim().is_empty() {
        return Err(Error::Invalid("a post needs a title".to_owned()));
    }
    Ok(())
}
