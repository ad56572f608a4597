//! Unit tests of likes on a `Recorder`.

use fraiseql_runtime::Recorder;
use uuid::Uuid;

use super::{ADA, MISSING, PK_POST, POST, check_exists, code};
use crate::rows::Likes;
use crate::service::Result;
use crate::service::likes;

/// A user who likes every post already.
const FAN: Uuid = Uuid::from_u128(0xfa);

impl Likes for Recorder {
    async fn insert_like(&mut self, post: Uuid, user: Uuid) -> Result<Option<i64>> {
        check_exists("post", post)?;
        Ok((user != FAN).then_some(PK_POST))
    }
}

#[tokio::test]
async fn a_like_marks_a_row_of_its_table() {
    let mut db = Recorder::new();
    likes::like(&mut db, POST, ADA).await.unwrap();
    db.assert_changed_rows("tb_like", "fk_post", &[PK_POST]);
    db.assert_no_more();
}

#[tokio::test]
async fn a_like_that_exists_marks_nothing() {
    let mut db = Recorder::new();
    likes::like(&mut db, POST, FAN).await.unwrap();
    db.assert_nothing();
}

#[tokio::test]
async fn a_failed_like_marks_nothing() {
    let mut db = Recorder::new();
    let failed = likes::like(&mut db, MISSING, ADA).await;
    assert_eq!(code(failed), Some("NOT_FOUND"));
    db.assert_nothing();
}
