//! Tests that the deletion or repeated insertion of a row while its document is written is not
//! lost.

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
    // Its comment embeds Ada, too.
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

/// The cascade deletes the comments, the tags, and their entries in the author's document.
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

/// The snapshot of the slow session has no row, so it deletes the document. A separate, later
/// DELETE would see the new row; fraiseql deletes in the statement that builds.
#[tokio::test]
async fn a_row_inserted_again_while_its_document_is_deleted() {
    let post = (View::Post, &[][..]);
    race(post, Documents::Exist, &[], async |world, slow, fast| {
        let slow_steps = [
            Write("DELETE FROM tb_post WHERE id = 1"),
            Write("UPDATE tb_post SET title = 'New' WHERE id = 2"),
            // It stops at the second document.
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

/// The row is inserted anew, and its document is an orphan of an earlier row.
#[tokio::test]
async fn a_row_inserted_for_an_orphaned_document() {
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

/// Both sessions delete it; the slow one has one more document to build.
#[tokio::test]
async fn a_row_whose_document_is_deleted_from_two_sides() {
    let post = (View::Post, &[2][..]);
    // In its transaction, the slow session holds the lock of the document that it has deleted.
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

/// The document is inserted and must be deleted; the session that deletes the row finds no
/// document.
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
        // In its transaction the row is visible to nobody else, so no update can be lost.
        overtake(world, slow, fast, &slow_steps, &fast_steps).await;
    })
    .await;
}
