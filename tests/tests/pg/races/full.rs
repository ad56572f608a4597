//! Tests that changes that are written and synced during a full sync are not lost.

use crate::races::lose::{EVERYWHERE, race};
use crate::races::session::Step::{AllPosts, End, Posts, Write};
use crate::races::world::{Documents, View};
use crate::races::writers::overtake;

#[tokio::test]
async fn a_full_sync_during_a_change_that_is_synced() {
    for documents in [Documents::Exist, Documents::First] {
        let post = (View::Post, &[1][..]);
        race(post, documents, &EVERYWHERE, async |world, slow, fast| {
            let fast_steps = [
                Write("UPDATE tb_post SET title = 'New' WHERE id = 1"),
                Posts("ARRAY[1]"),
                End,
            ];
            // A change that the full sync has to write.
            let slow_steps = [Write("UPDATE tb_user SET name = 'Countess'"), AllPosts, End];
            overtake(world, slow, fast, &slow_steps, &fast_steps).await;
        })
        .await;
    }
}

#[tokio::test]
async fn a_full_sync_during_the_deletion_of_a_row() {
    for documents in [Documents::Exist, Documents::First] {
        let post = (View::Post, &[1][..]);
        race(post, documents, &EVERYWHERE, async |world, slow, fast| {
            let fast_steps = [
                Write("DELETE FROM tb_post WHERE id = 1"),
                Posts("ARRAY[1]"),
                End,
            ];
            let slow_steps = [Write("UPDATE tb_user SET name = 'Countess'"), AllPosts, End];
            overtake(world, slow, fast, &slow_steps, &fast_steps).await;
        })
        .await;
    }
}

/// The full sync has read its keys before, and does not know of the row.
#[tokio::test]
async fn a_full_sync_during_the_insertion_of_a_row() {
    let post = (View::Post, &[][..]);
    race(post, Documents::Exist, &[], async |world, slow, fast| {
        let fast_steps = [
            Write("INSERT INTO tb_post VALUES (3, 3, 'Three')"),
            Posts("ARRAY[3]"),
            End,
        ];
        let slow_steps = [Write("UPDATE tb_post SET title = 'New'"), AllPosts, End];
        overtake(world, slow, fast, &slow_steps, &fast_steps).await;
    })
    .await;
}
