//! Tests that two sessions that write two parts of one document lose neither.

use fraiseql_tests::run;

use crate::races::lose::{EVERYWHERE, race};
use crate::races::session::Step::{End, Posts, Write};
use crate::races::session::{Session, Step};
use crate::races::world::{Documents, View, World};

/// The slow session stops while it builds, the fast one runs as far as it can, and both end.
pub(crate) async fn overtake(
    world: &World,
    slow: Session,
    fast: Session,
    slow_steps: &[Step],
    fast_steps: &[Step],
) {
    let gate = world.gate().await;
    // One that writes nothing, and knows nothing of documents, builds none.
    let builds = !slow.is_unaware() || slow_steps.iter().any(|step| matches!(step, Write(_)));
    let slow = slow.start(slow_steps);
    assert_eq!(world.settled([&slow]).await, [!builds], "it should stop");
    let fast = fast.start(fast_steps);
    world.settled([&slow, &fast]).await;
    gate.commit().await.unwrap();
    slow.done().await;
    fast.done().await;
}

async fn two_parts(world: &World, slow: Session, fast: Session) {
    let slow_steps = [
        Write("UPDATE tb_post SET title = 'New' WHERE id = 1"),
        Posts("ARRAY[1]"),
        End,
    ];
    let fast_steps = [
        Write("UPDATE tb_comment SET content = 'Edited' WHERE id = 1"),
        Posts("ARRAY[1]"),
        End,
    ];
    overtake(world, slow, fast, &slow_steps, &fast_steps).await;
}

#[tokio::test]
async fn two_writers_of_two_parts_of_a_document() {
    race((View::Post, &[1]), Documents::Exist, &EVERYWHERE, two_parts).await;
}

#[tokio::test]
async fn two_writers_of_two_parts_of_a_document_that_is_new() {
    race((View::Post, &[1]), Documents::First, &EVERYWHERE, two_parts).await;
}

async fn two_children(world: &World, slow: Session, fast: Session) {
    let slow_steps = [
        Write("INSERT INTO tb_comment VALUES (10, 1, 3, 'slow')"),
        Posts("ARRAY[1]"),
        End,
    ];
    let fast_steps = [
        Write("INSERT INTO tb_comment VALUES (11, 1, 3, 'fast')"),
        Posts("ARRAY[1]"),
        End,
    ];
    overtake(world, slow, fast, &slow_steps, &fast_steps).await;
}

#[tokio::test]
async fn two_children_of_one_parent() {
    race(
        (View::Post, &[1]),
        Documents::Exist,
        &EVERYWHERE,
        two_children,
    )
    .await;
}

#[tokio::test]
async fn two_children_of_one_parent_that_has_no_document() {
    race(
        (View::Post, &[1]),
        Documents::First,
        &EVERYWHERE,
        two_children,
    )
    .await;
}

/// The document is written from two sides and does not exist before: by the session that made the
/// row, and by one that knows of the row as soon as it is committed.
#[tokio::test]
async fn the_first_sync_of_a_document_from_two_sides() {
    race(
        (View::Post, &[1]),
        Documents::First,
        &EVERYWHERE,
        async |world, slow, fast| {
            let slow_steps = [Posts("ARRAY[1]"), End];
            let fast_steps = [
                Write("INSERT INTO tb_post_tag VALUES (1, 1)"),
                Posts("ARRAY[1]"),
                End,
            ];
            overtake(world, slow, fast, &slow_steps, &fast_steps).await;
        },
    )
    .await;
}

/// Two keys in each list, in both orders.
#[tokio::test]
async fn overlapping_batches() {
    race(
        (View::Post, &[2]),
        Documents::Exist,
        &EVERYWHERE,
        async |world, slow, fast| {
            let slow_steps = [
                Write("UPDATE tb_post SET title = 'New' WHERE id = 1"),
                Posts("ARRAY[2, 1]"),
                End,
            ];
            let fast_steps = [
                Write("INSERT INTO tb_comment VALUES (11, 2, 3, 'fast')"),
                Posts("ARRAY[1, 2]"),
                End,
            ];
            overtake(world, slow, fast, &slow_steps, &fast_steps).await;
        },
    )
    .await;
}

/// The fast session finds an equal document, and has nothing to write; the slow one must still
/// notice that its snapshot is older.
#[tokio::test]
async fn a_value_changed_and_changed_back() {
    let post = (View::Post, &[1][..]);
    race(
        post,
        Documents::Exist,
        &EVERYWHERE,
        async |world, slow, fast| {
            run(&world.pool, "UPDATE tb_post SET title = 'New' WHERE id = 1").await;
            let slow_steps = [Posts("ARRAY[1]"), End];
            let fast_steps = [
                Write("UPDATE tb_post SET title = 'One' WHERE id = 1"),
                Posts("ARRAY[1]"),
                End,
            ];
            overtake(world, slow, fast, &slow_steps, &fast_steps).await;
        },
    )
    .await;
}
