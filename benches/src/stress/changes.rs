//! Hand-written lookup of dependents: from changed rows to the documents that embed them.

use std::collections::BTreeSet;

use sqlx::PgConnection;

/// A change that affects documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Columns of the row with this key.
    User(i32),
    Post(i32),
    Comment(i32),
    Tag(i32),
    /// The set of rows that belong to a row.
    PostsOf(i32),
    CommentsOf(i32),
    CommentsBy(i32),
    TagsOf(i32),
    /// A deleted row.
    DeletedPost(i32),
    DeletedComment(i32),
}

/// All changes of an operation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changes(Vec<Change>);

/// Keys of dependent documents.
#[derive(Clone, Debug, Default)]
pub(crate) struct Documents {
    pub(crate) users: BTreeSet<i32>,
    pub(crate) posts: BTreeSet<i32>,
    pub(crate) comments: BTreeSet<i32>,
}

impl Changes {
    pub(crate) fn add(&mut self, change: Change) {
        if !self.0.contains(&change) {
            self.0.push(change);
        }
    }

    pub(crate) fn extend(&mut self, keys: impl IntoIterator<Item = i32>, to: fn(i32) -> Change) {
        keys.into_iter().for_each(|key| self.add(to(key)));
    }

    /// The documents that depend on these changes now.
    ///
    /// In a transaction, the lookup must lock the rows that it passes and that the transaction has
    /// not written. Otherwise another client could move a post after the lookup of the author for a
    /// new comment, and before the sync: the document of the post's new author would lack the
    /// comment.
    pub(crate) async fn documents(
        &self,
        db: &mut PgConnection,
        lock: bool,
    ) -> sqlx::Result<Documents> {
        let mut found = Documents::default();
        for change in &self.0 {
            // Each statement returns keys of users, posts and comments.
            let (key, sql) = match *change {
                Change::User(key) => (
                    key,
                    "SELECT ARRAY(SELECT id FROM tb_user WHERE id = $1 OR manager_id = $1
                         OR manager_id IN (SELECT id FROM tb_user WHERE manager_id = $1)),
                     ARRAY(SELECT id FROM tb_post WHERE author_id = $1
                         UNION SELECT post_id FROM tb_comment WHERE author_id = $1),
                     ARRAY(SELECT id FROM tb_comment WHERE author_id = $1
                         UNION SELECT c.id FROM tb_comment c JOIN tb_post p ON p.id = c.post_id
                         WHERE p.author_id = $1)",
                ),
                Change::Post(key) => (
                    key,
                    "SELECT ARRAY(SELECT author_id FROM tb_post WHERE id = $1), ARRAY[$1],
                     ARRAY(SELECT id FROM tb_comment WHERE post_id = $1)",
                ),
                Change::Comment(key) => (
                    key,
                    "SELECT '{}'::int4[], ARRAY(SELECT post_id FROM tb_comment WHERE id = $1),
                     ARRAY[$1]",
                ),
                Change::Tag(key) => (
                    key,
                    "SELECT '{}'::int4[], ARRAY(SELECT post_id FROM tb_post_tag WHERE tag_id = $1),
                     '{}'::int4[]",
                ),
                Change::CommentsOf(key) if lock => (
                    key,
                    "SELECT ARRAY(SELECT author_id FROM tb_post WHERE id = $1 FOR SHARE),
                     ARRAY[$1], '{}'::int4[]",
                ),
                Change::CommentsOf(key) => (
                    key,
                    "SELECT ARRAY(SELECT author_id FROM tb_post WHERE id = $1), ARRAY[$1],
                     '{}'::int4[]",
                ),
                Change::PostsOf(key) | Change::CommentsBy(key) => {
                    found.users.insert(key);
                    continue;
                }
                Change::TagsOf(key) | Change::DeletedPost(key) => {
                    found.posts.insert(key);
                    continue;
                }
                Change::DeletedComment(key) => {
                    found.comments.insert(key);
                    continue;
                }
            };
            let (users, posts, comments): (Vec<i32>, Vec<i32>, Vec<i32>) =
                sqlx::query_as(sql).bind(key).fetch_one(&mut *db).await?;
            found.users.extend(users);
            found.posts.extend(posts);
            found.comments.extend(comments);
        }
        Ok(found)
    }
}
