//! What each command says it has changed, without a database.

mod likes;

use fraiseql_runtime::testing::ChangeKind;
use fraiseql_runtime::{Failure, Recorder};
use uuid::Uuid;

use super::{Error, Result, comments, posts, users};
use crate::rows::{
    Comments, NewPost, NewUser, NewUsers, PostChange, Posts, Updated, UserChange, Users,
};
use crate::views::{Comment, Post, User};

const ADA: Uuid = Uuid::from_u128(0xada);
const POST: Uuid = Uuid::from_u128(1);
const COMMENT: Uuid = Uuid::from_u128(2);
/// No row has this key.
const NOBODY: Uuid = Uuid::from_u128(u128::MAX);
/// The version of every post.
const VERSION: i32 = 3;
/// The row of every post in its table.
const PK_POST: i64 = 7;
/// This post is not published.
const DRAFT: Uuid = Uuid::from_u128(3);

/// Tables in which there is everything but [`NOBODY`].
fn there(what: &'static str, id: Uuid) -> Result<()> {
    if id == NOBODY {
        return Err(Error::NotFound { what, id });
    }
    Ok(())
}

struct Joined;

impl NewUsers for Joined {
    async fn insert_user(&mut self, user: &NewUser) -> Result<Uuid> {
        if user.username == "taken" {
            let name = user.username.clone();
            return Err(Error::Taken {
                what: "username",
                name,
            });
        }
        Ok(ADA)
    }
}

impl Users for Recorder {
    async fn update_user(&mut self, id: Uuid, change: &UserChange) -> Result<bool> {
        there("user", id)?;
        Ok(change.username.is_some() || change.full_name.is_some())
    }

    async fn delete_user(&mut self, id: Uuid) -> Result<()> {
        there("user", id)
    }
}

impl Posts for Recorder {
    async fn insert_posts(&mut self, author: Uuid, posts: &[NewPost]) -> Result<Vec<Uuid>> {
        there("user", author)?;
        Ok((1..).map(Uuid::from_u128).take(posts.len()).collect())
    }

    async fn update_post(&mut self, id: Uuid, version: i32, _: &PostChange) -> Result<Updated> {
        there("post", id)?;
        Ok(if version == VERSION {
            Updated::Done
        } else {
            Updated::Stale(VERSION)
        })
    }

    async fn publish_post(&mut self, id: Uuid) -> Result<bool> {
        there("post", id)?;
        Ok(id == DRAFT)
    }

    async fn delete_post(&mut self, id: Uuid) -> Result<Uuid> {
        there("post", id)?;
        Ok(ADA)
    }

    async fn tag_post(&mut self, id: Uuid, _: &[String]) -> Result<i64> {
        there("post", id)?;
        Ok(PK_POST)
    }
}

impl Comments for Recorder {
    async fn insert_comment(&mut self, post: Uuid, author: Uuid, _: &str) -> Result<Uuid> {
        there("user", author)?;
        there("post", post)?;
        Ok(COMMENT)
    }

    async fn delete_comment(&mut self, id: Uuid) -> Result<Uuid> {
        there("comment", id)?;
        Ok(POST)
    }

    async fn move_comment(&mut self, id: Uuid, post: Uuid) -> Result<()> {
        there("comment", id)?;
        there("post", post)
    }
}

fn user(username: &str) -> NewUser {
    NewUser {
        username: username.to_owned(),
        full_name: "Ada Lovelace".to_owned(),
        bio: None,
    }
}

fn post(title: &str) -> NewPost {
    NewPost {
        title: title.to_owned(),
        content: "On the engine".to_owned(),
    }
}

/// The code of what must fail.
fn code<T: std::fmt::Debug>(result: Result<T>) -> Option<&'static str> {
    result.unwrap_err().code()
}

#[tokio::test]
async fn who_joins_has_a_document_and_nothing_else_is_synced() {
    let documents = Recorder::new();
    let id = users::create(&mut Joined, &documents, &user("ada")).await;
    assert_eq!(id.unwrap(), ADA);
    documents.assert_synced::<User>(&[ADA]);
    documents.assert_no_more();
}

#[tokio::test]
async fn who_cannot_join_has_none() {
    let documents = Recorder::new();
    for (username, told) in [
        ("taken", "TAKEN"),
        ("", "BAD_USER_INPUT"),
        ("!?", "BAD_USER_INPUT"),
    ] {
        let failed = users::create(&mut Joined, &documents, &user(username)).await;
        assert_eq!(code(failed), Some(told), "{username}");
    }
    documents.assert_nothing();
}

#[tokio::test]
async fn a_document_that_cannot_be_made_is_told_to_the_log_alone() {
    let documents = Recorder::new();
    documents.fail_next(Failure::ConnectionLost);
    let failed = users::create(&mut Joined, &documents, &user("ada")).await;
    assert_eq!(code(failed), None);
}

#[tokio::test]
async fn a_new_name_changes_all_that_embeds_it() {
    for change in [
        UserChange {
            username: Some("countess".to_owned()),
            ..UserChange::default()
        },
        UserChange {
            full_name: Some("Countess".to_owned()),
            ..UserChange::default()
        },
    ] {
        let mut db = Recorder::new();
        users::update(&mut db, ADA, &change).await.unwrap();
        db.assert_changed::<User>(&[ADA]);
        db.assert_no_more();
    }
}

#[tokio::test]
async fn a_new_bio_is_in_one_document() {
    let mut db = Recorder::new();
    let change = UserChange {
        bio: Some(None),
        ..UserChange::default()
    };
    users::update(&mut db, ADA, &change).await.unwrap();
    db.assert_resynced::<User>(&[ADA]);
    db.assert_no_more();
}

#[tokio::test]
async fn who_leaves_is_named_and_no_post_of_theirs() {
    let mut db = Recorder::new();
    users::delete(&mut db, ADA).await.unwrap();
    db.assert_changed::<User>(&[ADA]);
    db.assert_no_more();
}

#[tokio::test]
async fn a_batch_of_posts_is_said_at_once() {
    let mut db = Recorder::new();
    let batch = [post("One"), post("Two"), post("Three")];
    let ids = posts::create_all(&mut db, ADA, &batch).await.unwrap();
    let changes = db.changes();
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert_eq!(changes[0].kind, ChangeKind::Inserted);
    db.assert_changed::<Post>(&ids);
    db.assert_no_more();
}

#[tokio::test]
async fn a_post_is_a_batch_of_one() {
    let mut db = Recorder::new();
    let id = posts::create(&mut db, ADA, post("One")).await.unwrap();
    db.assert_changed::<Post>(&[id]);
    db.assert_no_more();
}

#[tokio::test]
async fn a_change_to_what_was_read_is_made() {
    let mut db = Recorder::new();
    let change = PostChange::default();
    posts::update(&mut db, POST, VERSION, &change)
        .await
        .unwrap();
    db.assert_changed::<Post>(&[POST]);
    db.assert_no_more();
}

#[tokio::test]
async fn a_change_to_something_older_is_a_conflict_that_says_both_versions() {
    let mut db = Recorder::new();
    let failed = posts::update(&mut db, POST, 2, &PostChange::default()).await;
    let Err(Error::Conflict { id, stored, read }) = failed else {
        panic!("{failed:?}");
    };
    assert_eq!((id, stored, read), (POST, VERSION, 2));
    db.assert_nothing();
}

#[tokio::test]
async fn a_post_is_published_once() {
    let mut db = Recorder::new();
    posts::publish(&mut db, POST).await.unwrap();
    db.assert_nothing();
    posts::publish(&mut db, DRAFT).await.unwrap();
    db.assert_changed::<Post>(&[DRAFT]);
    db.assert_no_more();
}

#[tokio::test]
async fn a_deleted_post_is_named_and_its_author_answered() {
    let mut db = Recorder::new();
    assert_eq!(posts::delete(&mut db, POST).await.unwrap(), ADA);
    db.assert_changed::<Post>(&[POST]);
    db.assert_no_more();
}

#[tokio::test]
async fn tags_are_rows_of_a_join_table() {
    let mut db = Recorder::new();
    posts::tag(&mut db, POST, &["Rust".to_owned()])
        .await
        .unwrap();
    db.assert_changed_rows("tb_post_tag", "fk_post", &[PK_POST]);
    db.assert_no_more();
}

#[tokio::test]
async fn a_comment_is_named_and_neither_its_post_nor_its_author() {
    let mut db = Recorder::new();
    let id = comments::create(&mut db, POST, ADA, "First!")
        .await
        .unwrap();
    assert_eq!(db.changes()[0].kind, ChangeKind::Inserted);
    db.assert_changed::<Comment>(&[id]);
    db.assert_no_more();
}

/// A row that was there before is looked for in the past, where `inserted` would not look.
#[tokio::test]
async fn a_moved_or_deleted_comment_is_changed_and_not_inserted() {
    let mut db = Recorder::new();
    comments::move_to(&mut db, COMMENT, POST).await.unwrap();
    assert_eq!(comments::delete(&mut db, COMMENT).await.unwrap(), POST);
    let kinds: Vec<ChangeKind> = db.changes().iter().map(|change| change.kind).collect();
    assert_eq!(kinds, [ChangeKind::Changed; 2]);
    db.assert_changed::<Comment>(&[COMMENT]);
    db.assert_no_more();
}

#[tokio::test]
async fn what_is_not_there_changes_nothing() {
    let db = &mut Recorder::new();
    let tags = ["Rust".to_owned()];
    let codes = [
        code(users::update(db, NOBODY, &UserChange::default()).await),
        code(users::delete(db, NOBODY).await),
        code(posts::create(db, NOBODY, post("One")).await),
        code(posts::update(db, NOBODY, VERSION, &PostChange::default()).await),
        code(posts::publish(db, NOBODY).await),
        code(posts::delete(db, NOBODY).await),
        code(posts::tag(db, NOBODY, &tags).await),
        code(comments::create(db, NOBODY, ADA, "First!").await),
        code(comments::create(db, POST, NOBODY, "First!").await),
        code(comments::delete(db, NOBODY).await),
        code(comments::move_to(db, NOBODY, POST).await),
        code(comments::move_to(db, COMMENT, NOBODY).await),
    ];
    assert_eq!(codes, [Some("NOT_FOUND"); 12]);
    db.assert_nothing();
}

#[tokio::test]
async fn what_cannot_be_changes_nothing() {
    let db = &mut Recorder::new();
    let long = "x".repeat(201);
    let name = |username: &str| UserChange {
        username: Some(username.to_owned()),
        ..UserChange::default()
    };
    let titled = |title: &str| PostChange {
        title: Some(title.to_owned()),
        ..PostChange::default()
    };
    let many = vec![post("One"); 1_001];
    let codes = [
        code(users::update(db, ADA, &name("...")).await),
        code(users::update(db, ADA, &name(&long)).await),
        code(posts::create(db, ADA, post(" ")).await),
        code(posts::create(db, ADA, post(&long)).await),
        code(posts::create(db, ADA, post("a\0b")).await),
        code(posts::create_all(db, ADA, &[post("One"), post("")]).await),
        code(posts::create_all(db, ADA, &many).await),
        code(posts::update(db, POST, VERSION, &titled("")).await),
        code(posts::tag(db, POST, &["?".to_owned()]).await),
        code(posts::tag(db, POST, &vec!["Rust".to_owned(); 51]).await),
        code(comments::create(db, POST, ADA, "\n").await),
        code(comments::create(db, POST, ADA, &"x".repeat(10_001)).await),
    ];
    assert_eq!(codes, [Some("BAD_USER_INPUT"); 12]);
    db.assert_nothing();
}
