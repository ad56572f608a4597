//! The operations of clients: random changes, and for targets other than mutations the list of
//! what they changed.

use rand::Rng;
use rand::rngs::SmallRng;
use sqlx::PgConnection;
use std::sync::atomic::{AtomicI32, Ordering};

use super::changes::{Change, Changes};
use super::schema::Rows;

/// Number of different values: few, so that values often change back.
const VALUES: i32 = 3;

/// The highest keys so far.
#[derive(Debug)]
pub(crate) struct Keys {
    pub(super) users: i32,
    pub(super) tags: i32,
    pub(super) posts: AtomicI32,
    pub(super) comments: AtomicI32,
}

impl Keys {
    pub(crate) fn new(rows: Rows) -> Self {
        Self {
            users: rows.users,
            tags: rows.tags,
            posts: AtomicI32::new(rows.posts),
            comments: AtomicI32::new(rows.comments),
        }
    }
}

/// One change. It has no effect on rows that are deleted.
#[derive(Clone, Debug)]
pub(crate) enum Operation {
    CreatePost {
        post: i32,
        author: i32,
    },
    CreateComment {
        comment: i32,
        post: i32,
        author: i32,
    },
    RenameUsers {
        users: Vec<i32>,
        value: i32,
    },
    ChangeManager {
        user: i32,
        manager: Option<i32>,
    },
    Retitle {
        post: i32,
        value: i32,
    },
    TogglePublished {
        author: i32,
    },
    EditComments {
        comments: Vec<i32>,
        value: i32,
    },
    RenameTag {
        tag: i32,
        value: i32,
    },
    MoveComment {
        comment: i32,
        post: i32,
    },
    MovePost {
        post: i32,
        author: i32,
    },
    Tag {
        post: i32,
        tag: i32,
    },
    Untag {
        post: i32,
        tag: i32,
    },
    DeleteComment {
        comment: i32,
    },
    DeletePost {
        post: i32,
    },
}

impl Operation {
    pub(crate) fn random(rng: &mut SmallRng, keys: &Keys) -> Self {
        let user = |rng: &mut SmallRng| rng.random_range(1..=keys.users);
        // Most of the newest rows are not deleted yet.
        let newest = |rng: &mut SmallRng, highest: &AtomicI32, count: i32| {
            let highest = highest.load(Ordering::Relaxed);
            rng.random_range((highest - count).max(1)..=highest)
        };
        let post = |rng: &mut SmallRng| newest(rng, &keys.posts, 30);
        let comment = |rng: &mut SmallRng| newest(rng, &keys.comments, 80);
        let value = |rng: &mut SmallRng| rng.random_range(0..VALUES);
        let several = |rng: &mut SmallRng, one: &dyn Fn(&mut SmallRng) -> i32| {
            let count = if rng.random_ratio(1, 4) {
                rng.random_range(2..8)
            } else {
                1
            };
            (0..count).map(|_| one(rng)).collect::<Vec<_>>()
        };
        match rng.random_range(0..100) {
            0..6 => Self::CreatePost {
                author: user(rng),
                post: keys.posts.fetch_add(1, Ordering::Relaxed) + 1,
            },
            6..20 => Self::CreateComment {
                post: post(rng),
                author: user(rng),
                comment: keys.comments.fetch_add(1, Ordering::Relaxed) + 1,
            },
            20..30 => Self::RenameUsers {
                users: several(rng, &user),
                value: value(rng),
            },
            30..34 => Self::ChangeManager {
                user: user(rng),
                manager: rng.random_ratio(3, 4).then(|| user(rng)),
            },
            34..42 => Self::Retitle {
                post: post(rng),
                value: value(rng),
            },
            42..46 => Self::TogglePublished { author: user(rng) },
            46..56 => Self::EditComments {
                comments: several(rng, &comment),
                value: value(rng),
            },
            56..60 => Self::RenameTag {
                tag: rng.random_range(1..=keys.tags),
                value: value(rng),
            },
            60..70 => Self::MoveComment {
                comment: comment(rng),
                post: post(rng),
            },
            70..78 => Self::MovePost {
                post: post(rng),
                author: user(rng),
            },
            78..82 => Self::Tag {
                post: post(rng),
                tag: rng.random_range(1..=keys.tags),
            },
            82..86 => Self::Untag {
                post: post(rng),
                tag: rng.random_range(1..=keys.tags),
            },
            86..95 => Self::DeleteComment {
                comment: comment(rng),
            },
            _ => Self::DeletePost { post: post(rng) },
        }
    }

    /// The kind of operation, for the summary: `MovePost`.
    pub(crate) fn name(&self) -> String {
        let text = format!("{self:?}");
        text.split(' ').next().unwrap_or_default().to_owned()
    }

    /// Writes base tables, and returns what was changed.
    pub(crate) async fn write(&self, db: &mut PgConnection) -> sqlx::Result<Changes> {
        let mut changes = Changes::default();
        match self {
            Self::CreatePost { post, author } => {
                let sql = "INSERT INTO tb_post VALUES ($1, $2, 'title 0', false) RETURNING id";
                if one(db, sql, *post, *author).await?.is_some() {
                    changes.add(Change::Post(*post));
                }
            }
            Self::CreateComment {
                comment,
                post,
                author,
            } => {
                // The post may be deleted already; a foreign key error is avoided.
                let sql = "INSERT INTO tb_comment
                    SELECT $1, p.id, $3, 'content 0' FROM tb_post p WHERE p.id = $2 FOR KEY SHARE
                    RETURNING id";
                let created: Option<i32> = sqlx::query_scalar(sql)
                    .bind(comment)
                    .bind(post)
                    .bind(author)
                    .fetch_optional(&mut *db)
                    .await?;
                if created.is_some() {
                    changes.add(Change::Comment(*comment));
                    changes.add(Change::CommentsOf(*post));
                    changes.add(Change::CommentsBy(*author));
                }
            }
            Self::RenameUsers { users, value } => {
                let sql =
                    "UPDATE tb_user SET name = 'name ' || $2 WHERE id = ANY ($1) RETURNING id";
                changes.extend(many(db, sql, users, *value).await?, Change::User);
            }
            Self::ChangeManager { user, manager } => {
                let sql = "UPDATE tb_user SET manager_id = $2 WHERE id = $1";
                sqlx::query(sql)
                    .bind(user)
                    .bind(manager)
                    .execute(&mut *db)
                    .await?;
                changes.add(Change::User(*user));
            }
            Self::Retitle { post, value } => {
                let sql = "UPDATE tb_post SET title = 'title ' || $2 WHERE id = $1 RETURNING id";
                changes.extend(one(db, sql, *post, *value).await?, Change::Post);
            }
            Self::TogglePublished { author } => {
                let sql = "UPDATE tb_post SET published = NOT published
                    WHERE author_id = $1 RETURNING id";
                let posts: Vec<i32> = sqlx::query_scalar(sql)
                    .bind(author)
                    .fetch_all(&mut *db)
                    .await?;
                changes.extend(posts, Change::Post);
            }
            Self::EditComments { comments, value } => {
                let sql = "UPDATE tb_comment SET content = 'content ' || $2
                    WHERE id = ANY ($1) RETURNING id";
                changes.extend(many(db, sql, comments, *value).await?, Change::Comment);
            }
            Self::RenameTag { tag, value } => {
                let sql = "UPDATE tb_tag SET name = 'tag ' || $2 WHERE id = $1 RETURNING id";
                changes.extend(one(db, sql, *tag, *value).await?, Change::Tag);
            }
            Self::MoveComment { comment, post } => {
                let Some((old, _)) = comment_row(db, *comment).await? else {
                    return Ok(changes);
                };
                let sql = "UPDATE tb_comment SET post_id = p.id
                    FROM (SELECT id FROM tb_post WHERE id = $2 FOR KEY SHARE) AS p
                    WHERE tb_comment.id = $1 RETURNING p.id";
                if one(db, sql, *comment, *post).await?.is_some() {
                    changes.add(Change::Comment(*comment));
                    changes.add(Change::CommentsOf(old));
                    changes.add(Change::CommentsOf(*post));
                }
            }
            Self::MovePost { post, author } => {
                let Some(old) = post_row(db, *post).await? else {
                    return Ok(changes);
                };
                let sql = "UPDATE tb_post SET author_id = $2 WHERE id = $1 RETURNING id";
                one(db, sql, *post, *author).await?;
                changes.add(Change::Post(*post));
                changes.add(Change::PostsOf(old));
            }
            Self::Tag { post, tag } => {
                let sql = "INSERT INTO tb_post_tag
                    SELECT p.id, $2 FROM tb_post p WHERE p.id = $1 FOR KEY SHARE
                    ON CONFLICT DO NOTHING RETURNING post_id";
                changes.extend(one(db, sql, *post, *tag).await?, Change::TagsOf);
            }
            Self::Untag { post, tag } => {
                let sql = "DELETE FROM tb_post_tag WHERE post_id = $1 AND tag_id = $2
                    RETURNING post_id";
                changes.extend(one(db, sql, *post, *tag).await?, Change::TagsOf);
            }
            Self::DeleteComment { comment } => {
                let Some((post, author)) = comment_row(db, *comment).await? else {
                    return Ok(changes);
                };
                sqlx::query("DELETE FROM tb_comment WHERE id = $1")
                    .bind(comment)
                    .execute(&mut *db)
                    .await?;
                changes.add(Change::DeletedComment(*comment));
                changes.add(Change::CommentsOf(post));
                changes.add(Change::CommentsBy(author));
            }
            Self::DeletePost { post } => {
                let Some(author) = post_row(db, *post).await? else {
                    return Ok(changes);
                };
                // `post_row` has locked the post, so no comment can be added any more.
                let comments: Vec<(i32, i32)> = sqlx::query_as(
                    "SELECT id, author_id FROM tb_comment WHERE post_id = $1 ORDER BY id FOR UPDATE",
                )
                .bind(post)
                .fetch_all(&mut *db)
                .await?;
                sqlx::query("DELETE FROM tb_post WHERE id = $1")
                    .bind(post)
                    .execute(&mut *db)
                    .await?;
                changes.add(Change::DeletedPost(*post));
                changes.add(Change::PostsOf(author));
                for (comment, author) in comments {
                    changes.add(Change::DeletedComment(comment));
                    changes.add(Change::CommentsBy(author));
                }
            }
        }
        Ok(changes)
    }
}

async fn one(
    db: &mut PgConnection,
    sql: &'static str,
    key: i32,
    to: i32,
) -> sqlx::Result<Option<i32>> {
    sqlx::query_scalar(sql)
        .bind(key)
        .bind(to)
        .fetch_optional(db)
        .await
}

async fn many(
    db: &mut PgConnection,
    sql: &'static str,
    keys: &[i32],
    value: i32,
) -> sqlx::Result<Vec<i32>> {
    sqlx::query_scalar(sql)
        .bind(keys)
        .bind(value)
        .fetch_all(db)
        .await
}

/// Locks a comment, and returns its post and its author.
async fn comment_row(db: &mut PgConnection, comment: i32) -> sqlx::Result<Option<(i32, i32)>> {
    sqlx::query_as("SELECT post_id, author_id FROM tb_comment WHERE id = $1 FOR UPDATE")
        .bind(comment)
        .fetch_optional(db)
        .await
}

/// Locks a post, and returns its author.
async fn post_row(db: &mut PgConnection, post: i32) -> sqlx::Result<Option<i32>> {
    sqlx::query_scalar("SELECT author_id FROM tb_post WHERE id = $1 FOR UPDATE")
        .bind(post)
        .fetch_optional(db)
        .await
}
