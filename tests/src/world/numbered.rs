//! The blog with integers as keys: users, posts, comments, tags.

use fraiseql_runtime::Embed;

use super::World;

const TABLES: &str = "
CREATE TABLE tb_user (id int8 PRIMARY KEY, name text NOT NULL);
CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL,
    author_id int8 NOT NULL REFERENCES tb_user ON DELETE CASCADE);
CREATE INDEX ON tb_post (author_id);
CREATE TABLE tb_comment (id int8 PRIMARY KEY, content text NOT NULL,
    post_id int8 NOT NULL REFERENCES tb_post ON DELETE CASCADE,
    author_id int8 REFERENCES tb_user ON DELETE SET NULL);
CREATE INDEX ON tb_comment (post_id);
CREATE INDEX ON tb_comment (author_id);
CREATE TABLE tb_tag (id int4 PRIMARY KEY, name text NOT NULL);
CREATE TABLE tb_post_tag (post_id int8 REFERENCES tb_post ON DELETE CASCADE,
    tag_id int4 REFERENCES tb_tag ON DELETE CASCADE, PRIMARY KEY (post_id, tag_id));
CREATE INDEX ON tb_post_tag (tag_id)";

/// The tables. The posts are called `Post 1` and so on, all by Ada, who is user 1; Bob and Eve are
/// 2 and 3.
pub fn numbered_blog() -> World {
    World::new(TABLES, |posts| {
        format!(
            "INSERT INTO tb_user (id, name) VALUES (1, 'Ada'), (2, 'Bob'), (3, 'Eve');
             INSERT INTO tb_post (id, title, author_id)
             SELECT i, 'Post ' || i, 1 FROM generate_series(1, {posts}) AS i"
        )
    })
}

/// A user, as the author of a post or a comment.
#[derive(Clone, Debug, PartialEq, Embed)]
#[tview(table = "tb_user")]
pub struct Author {
    /// The key.
    pub id: i64,
    /// The name.
    pub name: String,
}

/// A comment, as part of its post.
#[derive(Clone, Debug, PartialEq, Embed)]
#[tview(table = "tb_comment")]
pub struct Comment {
    /// The key.
    pub id: i64,
    /// The text.
    pub content: String,
}
