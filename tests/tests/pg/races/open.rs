//! Tests races with a session whose open transaction has already synced.

use crate::races::lose::{Places, race};
use crate::races::session::Place::{After, Inside};
use crate::races::session::Step::{End, Posts, Sync, Write};
use crate::races::session::{Session, Step};
use crate::races::world::{Documents, View, World};

/// The places where the first session is still in its transaction when the second begins.
pub(crate) const OPEN: [Places; 2] = [(Inside, Inside), (Inside, After)];

/// The first session takes these steps, the second all of its own as far as it can, and then the
/// first takes the rest.
pub(crate) async fn meet(world: &World, first: Session, second: Session, steps: [&[Step]; 3]) {
    let [before, all, rest] = steps;
    let first = first.start(before).done().await;
    let second = second.start(all);
    world.settled([&second]).await;
    let first = first.start(rest);
    first.done().await;
    second.done().await;
}

#[tokio::test]
async fn a_row_deleted_in_an_open_transaction_that_found_no_document() {
    let post = (View::Post, &[1][..]);
    race(
        post,
        Documents::First,
        &OPEN,
        async |world, first, second| {
            let delete = [Write("DELETE FROM tb_post WHERE id = 1"), Posts("ARRAY[1]")];
            let sync = [Posts("ARRAY[1]"), End];
            meet(world, first, second, [&delete, &sync, &[End]]).await;
        },
    )
    .await;
}

#[tokio::test]
async fn a_parent_renamed_in_an_open_transaction_before_a_document_is_added_under_it() {
    let post = (View::Post, &[9][..]);
    race(
        post,
        Documents::Exist,
        &OPEN,
        async |world, first, second| {
            let rename = [
                Write("UPDATE tb_user SET name = 'Countess' WHERE id = 3"),
                Posts("ARRAY(SELECT id FROM tb_post WHERE author_id = 3)"),
            ];
            let add = [
                Write("INSERT INTO tb_post VALUES (9, 3, 'Nine')"),
                Posts("ARRAY[9]"),
                End,
            ];
            meet(world, first, second, [&rename, &add, &[End]]).await;
        },
    )
    .await;
}

/// The child changes, and its place in a list is inserted.
#[tokio::test]
async fn a_tag_renamed_in_an_open_transaction_before_it_is_linked() {
    let post = (View::Post, &[1][..]);
    race(
        post,
        Documents::Exist,
        &OPEN,
        async |world, first, second| {
            let rename = [
                Write("UPDATE tb_tag SET name = 'Rust' WHERE id = 1"),
                Posts("ARRAY(SELECT post_id FROM tb_post_tag WHERE tag_id = 1)"),
            ];
            let link = [
                Write("INSERT INTO tb_post_tag VALUES (1, 1)"),
                Posts("ARRAY[1]"),
                End,
            ];
            meet(world, first, second, [&rename, &link, &[End]]).await;
        },
    )
    .await;
}

#[tokio::test]
async fn a_tag_linked_in_an_open_transaction_before_it_is_renamed() {
    let post = (View::Post, &[1][..]);
    race(
        post,
        Documents::Exist,
        &OPEN,
        async |world, first, second| {
            let link = [
                Write("INSERT INTO tb_post_tag VALUES (1, 1)"),
                Posts("ARRAY[1]"),
            ];
            let rename = [
                Write("UPDATE tb_tag SET name = 'Rust' WHERE id = 1"),
                Posts("ARRAY(SELECT post_id FROM tb_post_tag WHERE tag_id = 1)"),
                End,
            ];
            meet(world, first, second, [&link, &rename, &[End]]).await;
        },
    )
    .await;
}

/// The row that changes is two levels below the root, and the row between them moves. The session
/// that changes it has synced the old root.
#[tokio::test]
async fn a_comment_edited_in_an_open_transaction_before_its_post_is_moved() {
    let user = (View::User, &[1][..]);
    // With the plain upsert the lock on the old root's document also orders the two, if both sync
    // it: the second waits.
    race(
        user,
        Documents::Exist,
        &OPEN,
        async |world, first, second| {
            let edit = [
                Write("UPDATE tb_comment SET content = 'Edited' WHERE id = 2"),
                Sync(View::User, "ARRAY[2]"),
            ];
            let r#move = [
                Write("UPDATE tb_post SET author_id = 1 WHERE id = 2"),
                Sync(View::User, "ARRAY[1, 2]"),
                End,
            ];
            meet(world, first, second, [&edit, &r#move, &[End]]).await;
        },
    )
    .await;
}
