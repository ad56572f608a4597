//! Tests that a mutation finds the documents to sync although another session moves a row
//! meanwhile.
//!
//! Without a mutation the dependents are looked up before the sync, which is too early. A mutation
//! locks the rows when it looks.

use crate::races::lose::{EVERYWHERE, Places, race_in};
use crate::races::open::{OPEN, meet};
use crate::races::session::Place::{After, Inside, Mutation};
use crate::races::session::Step::{self, End, Sync, Write};
use crate::races::world::{Documents, View};
use crate::races::writers::overtake;

/// The places in which the session that looks up is a mutation.
const FIRST: [Places; 3] = [(Mutation, Mutation), (Mutation, Inside), (Mutation, After)];
const SECOND: [Places; 3] = [(Mutation, Mutation), (Inside, Mutation), (After, Mutation)];

/// Two levels below the root; the row between them moves.
const EDIT: Step = Write("UPDATE tb_comment SET content = 'Edited' WHERE id = 2");
const MOVE: [Step; 3] = [
    Write("UPDATE tb_post SET author_id = 1 WHERE id = 2"),
    Sync(View::User, "ARRAY[1, 2]"),
    End,
];
/// The lookup.
const OLD_ROOT: Step = Sync(View::User, "ARRAY[2]");

#[tokio::test]
async fn a_comment_edited_after_its_root_was_looked_up_and_before_its_post_is_moved() {
    let user = (View::User, &[1][..]);
    race_in(
        user,
        Documents::Exist,
        &OPEN,
        &FIRST,
        async |world, first, second| {
            meet(world, first, second, [&[EDIT], &MOVE, &[OLD_ROOT, End]]).await;
        },
    )
    .await;
}

/// The post is moved while its old root is built.
#[tokio::test]
async fn a_post_moved_while_the_old_root_of_its_comment_is_built() {
    let user = (View::User, &[1, 2][..]);
    let loses = [(Inside, Inside), (Inside, After)];
    race_in(
        user,
        Documents::Exist,
        &loses,
        &FIRST,
        async |world, slow, fast| {
            overtake(world, slow, fast, &[EDIT, OLD_ROOT, End], &MOVE).await;
        },
    )
    .await;
}

/// The post is being moved while the session that edits looks up its root.
#[tokio::test]
async fn a_comment_edited_while_its_post_is_being_moved() {
    let user = (View::User, &[1][..]);
    race_in(
        user,
        Documents::Exist,
        &EVERYWHERE,
        &SECOND,
        async |world, slow, fast| {
            overtake(world, slow, fast, &MOVE, &[EDIT, OLD_ROOT, End]).await;
        },
    )
    .await;
}
