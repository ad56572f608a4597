//! Tests that a child that is added while its parent changes is in the parent's document, with the
//! change.

use crate::races::lose::{EVERYWHERE, race};
use crate::races::session::Place::{After, Inside};
use crate::races::session::Session;
use crate::races::session::Step::{End, Posts, Sync, Write};
use crate::races::world::{Documents, View, World};
use crate::races::writers::overtake;

/// The posts that embed user 1, and those that embed user 3.
const POSTS_OF_1: &str = "ARRAY(SELECT id FROM tb_post WHERE author_id = 1
    UNION SELECT post_id FROM tb_comment WHERE author_id = 1)";
const POSTS_OF_3: &str = "ARRAY(SELECT id FROM tb_post WHERE author_id = 3
    UNION SELECT post_id FROM tb_comment WHERE author_id = 3)";

#[tokio::test]
async fn a_parent_renamed_while_a_document_is_added_under_it() {
    let post = (View::Post, &[9][..]);
    race(
        post,
        Documents::Exist,
        &EVERYWHERE,
        async |world, slow, fast| {
            let slow_steps = [
                Write("INSERT INTO tb_post VALUES (9, 1, 'Nine')"),
                Posts("ARRAY[9]"),
                End,
            ];
            let fast_steps = [
                Write("UPDATE tb_user SET name = 'Countess' WHERE id = 1"),
                Posts(POSTS_OF_1),
                End,
            ];
            overtake(world, slow, fast, &slow_steps, &fast_steps).await;
        },
    )
    .await;
}

/// The same two levels below the root of the document.
#[tokio::test]
async fn a_user_renamed_while_a_comment_of_theirs_is_added() {
    for documents in [Documents::Exist, Documents::First] {
        let post = (View::Post, &[1][..]);
        race(post, documents, &EVERYWHERE, async |world, slow, fast| {
            let slow_steps = [
                Write("INSERT INTO tb_comment VALUES (10, 1, 3, 'More')"),
                Posts("ARRAY[1]"),
                End,
            ];
            let fast_steps = [
                Write("UPDATE tb_user SET name = 'Countess' WHERE id = 3"),
                Posts(POSTS_OF_3),
                End,
            ];
            overtake(world, slow, fast, &slow_steps, &fast_steps).await;
        })
        .await;
    }
}

async fn moved(world: &World, slow: Session, fast: Session) {
    let slow_steps = [
        Write("UPDATE tb_post SET author_id = 3 WHERE id = 1"),
        Posts("ARRAY[1]"),
        End,
    ];
    let fast_steps = [
        Write("UPDATE tb_user SET name = 'Countess' WHERE id = 3"),
        Posts(POSTS_OF_3),
        End,
    ];
    overtake(world, slow, fast, &slow_steps, &fast_steps).await;
}

#[tokio::test]
async fn a_parent_renamed_while_a_row_is_moved_to_it() {
    let post = (View::Post, &[1][..]);
    race(post, Documents::Exist, &EVERYWHERE, moved).await;
}

#[tokio::test]
async fn a_parent_renamed_while_a_row_without_a_document_is_moved_to_it() {
    let post = (View::Post, &[1][..]);
    race(post, Documents::First, &EVERYWHERE, moved).await;
}

/// The session that renames the parent is the slow one.
#[tokio::test]
async fn a_row_moved_away_from_a_parent_that_is_being_renamed() {
    let post = (View::Post, &[1][..]);
    race(
        post,
        Documents::Exist,
        &EVERYWHERE,
        async |world, slow, fast| {
            let slow_steps = [
                Write("UPDATE tb_user SET name = 'Countess' WHERE id = 1"),
                Posts(POSTS_OF_1),
                End,
            ];
            let fast_steps = [
                Write("UPDATE tb_post SET author_id = 3 WHERE id = 1"),
                Posts("ARRAY[1]"),
                End,
            ];
            overtake(world, slow, fast, &slow_steps, &fast_steps).await;
        },
    )
    .await;
}

/// If the slow session is in a transaction, the lock on the row itself orders the two.
const ROW_FREE: [(crate::races::session::Place, crate::races::session::Place); 2] =
    [(After, After), (After, Inside)];

/// A moved child belongs to its old and its new parent.
#[tokio::test]
async fn a_child_renamed_while_it_is_moved() {
    let user = (View::User, &[1][..]);
    race(
        user,
        Documents::Exist,
        &ROW_FREE,
        async |world, slow, fast| {
            let slow_steps = [
                Write("UPDATE tb_post SET author_id = 1 WHERE id = 2"),
                Sync(View::User, "ARRAY[1, 2]"),
                End,
            ];
            let fast_steps = [
                Write("UPDATE tb_post SET title = 'New' WHERE id = 2"),
                Sync(
                    View::User,
                    "ARRAY(SELECT author_id FROM tb_post WHERE id = 2)",
                ),
                End,
            ];
            overtake(world, slow, fast, &slow_steps, &fast_steps).await;
        },
    )
    .await;
}

#[tokio::test]
async fn a_child_moved_while_it_is_renamed() {
    let user = (View::User, &[2][..]);
    race(
        user,
        Documents::Exist,
        &ROW_FREE,
        async |world, slow, fast| {
            let slow_steps = [
                Write("UPDATE tb_post SET title = 'New' WHERE id = 2"),
                Sync(
                    View::User,
                    "ARRAY(SELECT author_id FROM tb_post WHERE id = 2)",
                ),
                End,
            ];
            let fast_steps = [
                Write("UPDATE tb_post SET author_id = 1 WHERE id = 2"),
                Sync(View::User, "ARRAY[1, 2]"),
                End,
            ];
            overtake(world, slow, fast, &slow_steps, &fast_steps).await;
        },
    )
    .await;
}

/// Two children move to and from one parent at once.
#[tokio::test]
async fn two_children_that_exchange_parents() {
    let user = (View::User, &[1, 2][..]);
    race(
        user,
        Documents::Exist,
        &EVERYWHERE,
        async |world, slow, fast| {
            let slow_steps = [
                Write("UPDATE tb_post SET author_id = 1 WHERE id = 2"),
                Sync(View::User, "ARRAY[2, 1]"),
                End,
            ];
            let fast_steps = [
                Write("UPDATE tb_post SET author_id = 2 WHERE id = 1"),
                Sync(View::User, "ARRAY[1, 2]"),
                End,
            ];
            overtake(world, slow, fast, &slow_steps, &fast_steps).await;
        },
    )
    .await;
}
