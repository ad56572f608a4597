//! Tests that a row that is deleted or inserted again while its document is written is not lost.

use fraiseql_tests::run;

use crate::races::lose::{EVERYWHERE, race};
use crate::races::session::Place::{After, Inside};
use crate::races::session::Session;
use crate::races::session::Step::{End, Posts, Sync, Write};
use crate::races::world::{Documents, View, World};
use crate::races::writers::overtake;

async fn root_deleted(world: &World, slow: Session, fast: Session) {
    let slow_steps = [
        Write("UPDATE tb_user SET name = 'Countess' WHERE id = 1"),
        Posts("ARRAY[1]"),
        End,
    ];
    let fast_steps = [
        Write("DELETE FROM tb_post WHERE id = 1"),
        Posts("ARRAY[1]"),
        End,
    ];
    // Its comment names Ada, too.
    run(&world.pool, "DELETE FROM tb_comment WHERE post_id = 2").await;
    world.posts.sync(&world.pool, &[2]).await.unwrap();
    overtake(world, slow, fast, &slow_steps, &fast_steps).await;
}

#[tokio::test]
async fn a_root_deleted_while_its_document_is_written() {
    let post = (View::Post, &[1][..]);
    race(post, Documents::Exist, &EVERYWHERE, root_deleted).await;
}

#[tokio::test]
async fn a_root_deleted_while_its_first_document_is_written() {
    let post = (View::Post, &[1][..]);
    race(post, Documents::First, &EVERYWHERE, root_deleted).await;
}

/// The cascade takes the comments, the tags, and what the author's document has of them.
#[tokio::test]
async fn a_child_deleted_while_the_document_it_is_in_is_written() {
    let user = (View::User, &[1][..]);
    race(
        user,
        Documents::Exist,
        &EVERYWHERE,
        async |world, slow, fast| {
            let slow_steps = [
                Write("UPDATE tb_user SET name = 'Countess' WHERE id = 1"),
                Sync(View::User, "ARRAY[1]"),
                End,
            ];
            let fast_steps = [
                Write("DELETE FROM tb_post WHERE id = 1"),
                Sync(View::User, "ARRAY[1]"),
                End,
            ];
            overtake(world, slow, fast, &slow_steps, &fast_steps).await;
        },
    )
    .await;
}

/// The snapshot of the slow one has no row, and it has a document to delete. Who deletes in a
/// statement of its own, later, is not fooled; ours deletes in the statement that builds.
#[tokio::test]
async fn a_row_that_comes_back_while_its_document_is_deleted() {
    let post = (View::Post, &[][..]);
    race(post, Documents::Exist, &[], async |world, slow, fast| {
        let slow_steps = [
            Write("DELETE FROM tb_post WHERE id = 1"),
            Write("UPDATE tb_post SET title = 'New' WHERE id = 2"),
            // It stops at the second.
            Posts("ARRAY[1, 2]"),
            End,
        ];
        let fast_steps = [
            Write("INSERT INTO tb_post VALUES (1, 3, 'Again')"),
            Posts("ARRAY[1]"),
            End,
        ];
        overtake(world, slow, fast, &slow_steps, &fast_steps).await;
    })
    .await;
}

/// A zombie of the past: the row is new, the document is not.
#[tokio::test]
async fn a_row_for_a_document_that_is_an_orphan() {
    let post = (View::Post, &[][..]);
    race(post, Documents::Exist, &[], async |world, slow, fast| {
        run(&world.pool, "DELETE FROM tb_post WHERE id = 1").await;
        let slow_steps = [Posts("ARRAY[1, 2]"), End];
        let fast_steps = [
            Write("INSERT INTO tb_post VALUES (1, 3, 'Again')"),
            Posts("ARRAY[1]"),
            End,
        ];
        overtake(world, slow, fast, &slow_steps, &fast_steps).await;
    })
    .await;
}

/// Both delete it; the slow one has one more document to build.
#[tokio::test]
async fn a_row_whose_document_is_deleted_from_two_sides() {
    let post = (View::Post, &[2][..]);
    // Inside, the slow one holds the document that it has deleted.
    let loses = [(After, After), (After, Inside)];
    race(post, Documents::Exist, &loses, async |world, slow, fast| {
        run(&world.pool, "DELETE FROM tb_post WHERE id = 1").await;
        let slow_steps = [Posts("ARRAY[1, 2]"), End];
        let fast_steps = [
            Write("UPDATE tb_post SET title = 'New' WHERE id = 2"),
            Posts("ARRAY[2, 1]"),
            End,
        ];
        overtake(world, slow, fast, &slow_steps, &fast_steps).await;
    })
    .await;
}

/// It is there and back; who deletes it finds no document.
#[tokio::test]
async fn a_row_inserted_and_deleted() {
    let post = (View::Post, &[7][..]);
    let loses = [(After, After), (After, Inside)];
    race(post, Documents::Exist, &loses, async |world, slow, fast| {
        let slow_steps = [
            Write("INSERT INTO tb_post VALUES (7, 3, 'Seven')"),
            Posts("ARRAY[7]"),
            End,
        ];
        let fast_steps = [
            Write("DELETE FROM tb_post WHERE id = 7"),
            Posts("ARRAY[7]"),
            End,
        ];
        // In its transaction nobody sees the row, and there is nothing to lose.
        overtake(world, slow, fast, &slow_steps, &fast_steps).await;
    })
    .await;
}
