//! Unit tests of the commands on a `Recorder`: which rows each marks.

mod likes;

use fraiseql_runtime::testing::ChangeKind;
use fraiseql_runtime::{Failure, Recorder};
use uuid::Uuid;

use super::{Error, Result, comments, posts, users};
use crate::rows::{
    Comments, NewPost, NewUser, NewUsers, PostChange, Posts, UpdateOutcome, UserChange, Users,
};
use crate::views::{Comment, Post, User};

const ADA: Uuid = Uuid::from_u128(0xada);
const POST: Uuid = Uuid::from_u128(1);
const COMMENT: Uuid = Uuid::from_u128(2);
/// A key that no row has.
const MISSING: Uuid = Uuid::from_u128(u128::MAX);
/// The version of every post.
const VERSION: i32 = 3;
/// The `pk_post` of every post.
const PK_POST: i64 = 7;
/// A post that is not published.
const DRAFT: Uuid = Uuid::from_u128(3);

/// Fails for the key [`MISSING`]: the test tables have all other rows.
fn check_exists(what: &'static str, id: Uuid) -> Result<()> {
    if id == MISSING {
        return Err(Error::NotFound { what, id });
    }
    Ok(())
}

struct NewUserRows;

impl NewUsers for NewUserRows {
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
        check_exists("user", id)?;
        Ok(change.username.is_some() || change.full_name.is_some())
    }

    async fn lock_names(&mut self) -> Result<()> {
        Ok(())
    }

    async fn delete_user(&mut self, id: Uuid) -> Result<()> {
        check_exists("user", id)
    }
}

impl Posts for Recorder {
    async fn insert_posts(&mut self, author: Uuid, posts: &[NewPost]) -> Result<Vec<Uuid>> {
        check_exists("user", author)?;
        Ok((1..).map(Uuid::from_u128).take(posts.len()).collect())
    }

    async fn update_post(
        &mut self,
        id: Uuid,
        version: i32,
        _: &PostChange,
    ) -> Result<UpdateOutcome> {
        check_exists("post", id)?;
        Ok(if version == VERSION {
            UpdateOutcome::Updated
        } else {
            UpdateOutcome::VersionMismatch(VERSION)
        })
    }

    async fn publish_post(&mut self, id: Uuid) -> Result<bool> {
        check_exists("post", id)?;
        Ok(id == DRAFT)
    }

    async fn lock_post(&mut self, id: Uuid) -> Result<()> {
        check_exists("post", id)
    }

    async fn delete_post(&mut self, id: Uuid) -> Result<Uuid> {
        check_exists("post", id)?;
        Ok(ADA)
    }

    async fn tag_post(&mut self, id: Uuid, _: &[String]) -> Result<i64> {
        check_exists("post", id)?;
        Ok(PK_POST)
    }
}

impl Comments for Recorder {
    async fn insert_comment(&mut self, post: Uuid, author: Uuid, _: &str) -> Result<Uuid> {
        check_exists("user", author)?;
        check_exists("post", post)?;
        Ok(COMMENT)
    }

    async fn lock_comment(&mut self, id: Uuid, to: Option<Uuid>) -> Result<()> {
        check_exists("comment", id)?;
        to.map_or(Ok(()), |post| check_exists("post", post))
    }

    async fn delete_comment(&mut self, id: Uuid) -> Result<Uuid> {
        check_exists("comment", id)?;
        Ok(POST)
    }

    async fn move_comment(&mut self, id: Uuid, post: Uuid) -> Result<()> {
        check_exists("comment", id)?;
        check_exists("post", post)
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
        published: false,
        title: title.to_owned(),
        content: "On the engine".to_owned(),
    }
}

/// The code of a command that must fail.
fn code<T: std::fmt::Debug>(result: Result<T>) -> Option<&'static str> {
    result.unwrap_err().code()
}

#[tokio::test]
async fn a_new_user_syncs_one_document() {
    let documents = Recorder::new();
    let id = users::create(&mut NewUserRows, &documents, &user("ada")).await;
    assert_eq!(id.unwrap(), ADA);
    documents.assert_synced::<User>(&[ADA]);
    documents.assert_no_more();
}

#[tokio::test]
async fn a_rejected_user_syncs_nothing() {
    let documents = Recorder::new();
    for (username, expected) in [
        ("taken", "TAKEN"),
        ("", "BAD_USER_INPUT"),
        ("!?", "BAD_USER_INPUT"),
    ] {
        let failed = users::create(&mut NewUserRows, &documents, &user(username)).await;
        assert_eq!(code(failed), Some(expected), "{username}");
    }
    documents.assert_nothing();
}

#[tokio::test]
async fn a_failed_sync_has_no_code_for_clients() {
    let documents = Recorder::new();
    documents.fail_next(Failure::ConnectionLost);
    let failed = users::create(&mut NewUserRows, &documents, &user("ada")).await;
    assert_eq!(code(failed), None);
}

#[tokio::test]
async fn a_rename_marks_the_user_as_changed() {
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
async fn a_new_bio_resyncs_only_the_users_document() {
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
async fn deleting_a_user_marks_the_user_only() {
    let mut db = Recorder::new();
    users::delete(&mut db, ADA).await.unwrap();
    db.assert_changed::<User>(&[ADA]);
    db.assert_no_more();
}

#[tokio::test]
async fn a_batch_of_posts_is_one_mark() {
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
async fn an_update_of_the_current_version_marks_the_post() {
    let mut db = Recorder::new();
    let change = PostChange::default();
    posts::update(&mut db, POST, VERSION, &change)
        .await
        .unwrap();
    db.assert_changed::<Post>(&[POST]);
    db.assert_no_more();
}

#[tokio::test]
async fn an_update_of_an_older_version_is_a_conflict_with_both_versions() {
    let mut db = Recorder::new();
    let failed = posts::update(&mut db, POST, 2, &PostChange::default()).await;
    let Err(Error::Conflict { id, stored, read }) = failed else {
        panic!("{failed:?}");
    };
    assert_eq!((id, stored, read), (POST, VERSION, 2));
    db.assert_nothing();
}

#[tokio::test]
async fn publishing_a_published_post_marks_nothing() {
    let mut db = Recorder::new();
    posts::publish(&mut db, POST).await.unwrap();
    db.assert_nothing();
    posts::publish(&mut db, DRAFT).await.unwrap();
    db.assert_changed::<Post>(&[DRAFT]);
    db.assert_no_more();
}

#[tokio::test]
async fn deleting_a_post_marks_it_and_returns_its_author() {
    let mut db = Recorder::new();
    assert_eq!(posts::delete(&mut db, POST).await.unwrap(), ADA);
    db.assert_changed::<Post>(&[POST]);
    db.assert_no_more();
}

#[tokio::test]
async fn tagging_marks_rows_of_the_join_table() {
    let mut db = Recorder::new();
    posts::tag(&mut db, POST, &["Rust".to_owned()])
        .await
        .unwrap();
    db.assert_changed_rows("tb_post_tag", "fk_post", &[PK_POST]);
    db.assert_no_more();
}

#[tokio::test]
async fn a_new_comment_marks_only_the_comment() {
    let mut db = Recorder::new();
    let id = comments::create(&mut db, POST, ADA, "First!")
        .await
        .unwrap();
    assert_eq!(db.changes()[0].kind, ChangeKind::Inserted);
    db.assert_changed::<Comment>(&[id]);
    db.assert_no_more();
}

/// The mutation looks at the comment before, and so knows its old post.
#[tokio::test]
async fn a_comment_is_marked_before_it_is_moved_or_deleted() {
    let mut db = Recorder::new();
    comments::move_to(&mut db, COMMENT, POST).await.unwrap();
    assert_eq!(comments::delete(&mut db, COMMENT).await.unwrap(), POST);
    let kinds: Vec<ChangeKind> = db.changes().iter().map(|change| change.kind).collect();
    assert_eq!(kinds, [ChangeKind::Changing; 2]);
    db.assert_changed::<Comment>(&[COMMENT]);
    db.assert_no_more();
}

#[tokio::test]
async fn commands_on_missing_rows_mark_nothing_as_changed() {
    let db = &mut Recorder::new();
    let tags = ["Rust".to_owned()];
    let codes = [
        code(users::update(db, MISSING, &UserChange::default()).await),
        code(users::delete(db, MISSING).await),
        code(posts::create(db, MISSING, post("One")).await),
        code(posts::update(db, MISSING, VERSION, &PostChange::default()).await),
        code(posts::publish(db, MISSING).await),
        code(posts::delete(db, MISSING).await),
        code(posts::tag(db, MISSING, &tags).await),
        code(comments::create(db, MISSING, ADA, "First!").await),
        code(comments::create(db, POST, MISSING, "First!").await),
        code(comments::delete(db, MISSING).await),
        code(comments::move_to(db, MISSING, POST).await),
        code(comments::move_to(db, COMMENT, MISSING).await),
    ];
    assert_eq!(codes, [Some("NOT_FOUND"); 12]);
    // Those that move or delete a row mark it before, and are rolled back with the mark.
    let marks = db.changes();
    let afterwards =
        |change: &&fraiseql_runtime::testing::Change| change.kind != ChangeKind::Changing;
    assert_eq!(marks.iter().filter(afterwards).count(), 0, "{marks:?}");
}

#[tokio::test]
async fn commands_with_invalid_arguments_mark_nothing() {
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
