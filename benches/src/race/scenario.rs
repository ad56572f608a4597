//! What the two processes do in a round.

use fraiseql_runtime::Mutation;

use super::schema::{Author, Post, Tag};
use crate::mutation::CaptureMode;

/// Where a process syncs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Target {
    /// On the pool, after the commit.
    Pool,
    /// In its transaction.
    Transaction,
    /// In a mutation.
    Mutation,
    /// Nowhere: it knows nothing of documents, and triggers record what it changes.
    Nowhere,
}

impl Target {
    /// Where processes sync without captured changes.
    const SYNCING: [Self; 3] = [Self::Pool, Self::Transaction, Self::Mutation];
    /// Where they do with them.
    const CAPTURED: [Self; 2] = [Self::Nowhere, Self::Mutation];

    /// The targets of a process that take turns.
    pub(super) fn all(capture: CaptureMode) -> &'static [Self] {
        match capture {
            CaptureMode::Off => &Self::SYNCING,
            CaptureMode::Queue | CaptureMode::AtCommit => &Self::CAPTURED,
        }
    }
}

/// The two processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Role {
    /// Changes a row that a document embeds, or is about to embed.
    Changes,
    /// Makes a document embed that row, or changes another part of the document.
    Embeds,
}

/// The pairs of changes that meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scenario {
    /// A user is renamed; a post by that user is added.
    Add,
    /// A user is renamed; a post is moved to that user.
    Move,
    /// A tag is renamed; a post is linked to it.
    Link,
    /// A user is renamed; a post by that user gets another title.
    Edit,
    /// A post is deleted; its author is renamed.
    Delete,
}

/// A row that a process has changed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Mark {
    User(i32),
    Post(i32),
    Tag(i32),
    Link(i32),
}

/// One side of a round.
pub(super) struct Change {
    /// The statement, with the number of the round as its parameter.
    pub(super) write: &'static str,
    /// The keys of the posts that depend on it.
    pub(super) posts: &'static str,
    pub(super) mark: Mark,
}

const RENAME: &str = "UPDATE tb_user SET name = 'new' WHERE id = 2 * $1";
const RENAME_OWNER: &str = "UPDATE tb_user SET name = 'new' WHERE id = 2 * $1 + 1";
const BY_USER: &str = "SELECT id FROM tb_post WHERE author_id = 2 * $1";
const BY_OWNER: &str = "SELECT id FROM tb_post WHERE author_id = 2 * $1 + 1";
const POST: &str = "SELECT 2 * $1";
const ADDED_POST: &str = "SELECT 2 * $1 + 1";

impl Scenario {
    pub(super) const ALL: [Self; 5] = [Self::Add, Self::Move, Self::Link, Self::Edit, Self::Delete];

    /// What a process does in the round.
    pub(super) fn change(self, role: Role, round: i32) -> Change {
        let (write, posts, mark) = match (self, role) {
            (Self::Add | Self::Move, Role::Changes) => (RENAME, BY_USER, Mark::User(2 * round)),
            (Self::Add, Role::Embeds) => (
                "INSERT INTO tb_post VALUES (2 * $1 + 1, 2 * $1, 'added')",
                ADDED_POST,
                Mark::Post(2 * round + 1),
            ),
            (Self::Move, Role::Embeds) => (
                "UPDATE tb_post SET author_id = 2 * $1 WHERE id = 2 * $1",
                POST,
                Mark::Post(2 * round),
            ),
            (Self::Link, Role::Changes) => (
                "UPDATE tb_tag SET name = 'new' WHERE id = $1",
                "SELECT post_id FROM tb_post_tag WHERE tag_id = $1",
                Mark::Tag(round),
            ),
            (Self::Link, Role::Embeds) => (
                "INSERT INTO tb_post_tag VALUES (2 * $1, $1)",
                POST,
                Mark::Link(2 * round),
            ),
            (Self::Edit, Role::Changes) | (Self::Delete, Role::Embeds) => {
                (RENAME_OWNER, BY_OWNER, Mark::User(2 * round + 1))
            }
            (Self::Edit, Role::Embeds) => (
                "UPDATE tb_post SET title = 'new' WHERE id = 2 * $1",
                POST,
                Mark::Post(2 * round),
            ),
            (Self::Delete, Role::Changes) => (
                "DELETE FROM tb_post WHERE id = 2 * $1",
                POST,
                Mark::Post(2 * round),
            ),
        };
        Change { write, posts, mark }
    }
}

impl Mark {
    /// Marks the row in a mutation.
    pub(super) fn set(self, mutation: &mut Mutation) -> fraiseql_runtime::Result<()> {
        match self {
            Self::User(id) => mutation.changed::<Author>(&[id]),
            Self::Post(id) => mutation.changed::<Post>(&[id]),
            Self::Tag(id) => mutation.changed::<Tag>(&[id]),
            Self::Link(post) => {
                mutation.changed_rows("tb_post_tag", "post_id", &[post])?;
            }
        }
        Ok(())
    }
}
