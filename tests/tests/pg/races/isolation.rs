//! Tests the protocols with writers at other isolation levels.

use fraiseql_runtime::Error;

use crate::races::session::Place::{self, Inside, Mutation};
use crate::races::session::Step::{self, End, Posts, Write};
use crate::races::session::Syncer::{self, Fraiseql, Plain};
use crate::races::world::{Documents, View, World};

pub(crate) const SERIALIZABLE: &str = "BEGIN ISOLATION LEVEL SERIALIZABLE";
const REPEATABLE_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ";

const ADD_UNDER_1: [Step; 3] = [
    Write("INSERT INTO tb_post VALUES (9, 1, 'Nine')"),
    Posts("ARRAY[9]"),
    End,
];
const RENAME_1: [Step; 3] = [
    Write("UPDATE tb_user SET name = 'Countess' WHERE id = 1"),
    Posts(
        "ARRAY(SELECT id FROM tb_post WHERE author_id = 1
         UNION SELECT post_id FROM tb_comment WHERE author_id = 1)",
    ),
    End,
];
const RETITLE: [Step; 3] = [
    Write("UPDATE tb_post SET title = 'New' WHERE id = 1"),
    Posts("ARRAY[1]"),
    End,
];
const COMMENT: [Step; 3] = [
    Write("INSERT INTO tb_comment VALUES (10, 1, 3, 'More')"),
    Posts("ARRAY[1]"),
    End,
];
const DELETE: [Step; 3] = [
    Write("DELETE FROM tb_post WHERE id = 1"),
    Posts("ARRAY[1]"),
    End,
];

/// Runs two sessions against each other; returns how often each was retried.
async fn serializable(
    documents: Documents,
    slow: &[Step],
    fast: &[Step],
    levels: [&'static str; 2],
    place: Place,
) -> (World, [u32; 2]) {
    let mut world = World::new().await;
    world.reset(View::Post, documents).await;
    let gate = world.gate().await;
    let slow_session = world
        .slow_session(Fraiseql, place)
        .await
        .isolation(levels[0]);
    let slow = slow_session.start(slow);
    assert_eq!(world.settled([&slow]).await, [false]);
    let fast_session = world.session(Fraiseql, place).await.isolation(levels[1]);
    let fast = fast_session.start(fast);
    world.settled([&slow, &fast]).await;
    gate.commit().await.unwrap();
    let retries = [slow.done().await.retries, fast.done().await.retries];
    (world, retries)
}

#[tokio::test]
async fn serializable_transactions_that_are_retried_lose_nothing() {
    let both = [SERIALIZABLE; 2];
    let races: [(&str, &[Step], &[Step]); 4] = [
        ("two parts", &RETITLE, &COMMENT),
        ("a child comes, its parent changes", &ADD_UNDER_1, &RENAME_1),
        ("the parent changes, a child comes", &RENAME_1, &ADD_UNDER_1),
        ("the root is deleted", &RETITLE, &DELETE),
    ];
    for (name, slow, fast) in races {
        for documents in [Documents::Exist, Documents::First] {
            let (world, retries) = serializable(documents, slow, fast, both, Inside).await;
            let wrong = world.wrong(View::Post).await;
            assert!(wrong.is_empty(), "{name}, {documents:?}: {wrong:#?}");
            // They conflicted: one of them was retried.
            assert_eq!(retries, [0, 1], "{name}, {documents:?}");
        }
    }
}

/// PostgreSQL detects conflicts of serializable transactions only among themselves. A mutation also
/// reads committed data on a second connection; a plain serializable transaction is not correct
/// next to others.
#[tokio::test]
async fn a_serializable_mutation_among_transactions_of_other_levels() {
    let races = [
        (ADD_UNDER_1, RENAME_1),
        (RENAME_1, ADD_UNDER_1),
        (RETITLE, COMMENT),
        (RETITLE, DELETE),
    ];
    for levels in [
        [SERIALIZABLE, "BEGIN"],
        ["BEGIN", SERIALIZABLE],
        [SERIALIZABLE; 2],
    ] {
        for (slow, fast) in &races {
            for documents in [Documents::Exist, Documents::First] {
                let (world, _) = serializable(documents, slow, fast, levels, Mutation).await;
                let wrong = world.wrong(View::Post).await;
                assert!(wrong.is_empty(), "{levels:?}, {slow:?}: {wrong:#?}");
            }
        }
    }
}

#[tokio::test]
async fn a_serializable_transaction_with_an_old_snapshot_fails_and_can_be_retried() {
    let mut world = World::new().await;
    world.reset(View::Post, Documents::Exist).await;
    let gate = world.gate().await;
    let slow = world
        .slow_session(Fraiseql, Inside)
        .await
        .isolation(SERIALIZABLE);
    let slow = slow.start(&RETITLE);
    assert_eq!(world.settled([&slow]).await, [false]);
    let fast = world
        .session(Fraiseql, Inside)
        .await
        .isolation(SERIALIZABLE);
    let fast = fast.once().start(&COMMENT);
    assert_eq!(world.settled([&slow, &fast]).await, [false, false]);
    gate.commit().await.unwrap();
    slow.done().await;
    let error = fast.failed().await;
    assert!(error.is_retryable(), "{error}");
    let Error::Database { source, .. } = &error else {
        panic!("{error}");
    };
    let code = source.as_database_error().and_then(|error| error.code());
    assert_eq!(code.as_deref(), Some("40001"), "{error}");
    assert_eq!(world.wrong(View::Post).await, [], "it was rolled back");
    let fast = world
        .session(Fraiseql, Inside)
        .await
        .isolation(SERIALIZABLE);
    fast.start(&COMMENT).done().await;
    assert_eq!(world.wrong(View::Post).await, []);
}

/// The snapshot of the slow session is older than the change, and so is the document it builds. The
/// plain upsert writes it; fraiseql's statement refuses.
#[tokio::test]
async fn repeatable_read_is_refused_because_it_would_lose_updates() {
    let run = async |syncer: Syncer| {
        let mut world = World::new().await;
        world.reset(View::Post, Documents::Exist).await;
        // Takes its snapshot.
        let slow = world
            .session(syncer, Inside)
            .await
            .isolation(REPEATABLE_READ);
        let slow = slow
            .start(&[Write("INSERT INTO tb_post VALUES (9, 1, 'Nine')")])
            .done()
            .await;
        let fast = world.session(syncer, Inside).await;
        fast.start(&RENAME_1).done().await;
        (world, slow.start(&[Posts("ARRAY[9]"), End]))
    };
    let (world, slow) = run(Plain).await;
    slow.done().await;
    let wrong = world.wrong(View::Post).await;
    assert!(
        wrong.len() == 1 && wrong[0].0 == 9,
        "the plain upsert: {wrong:?}"
    );
    let (world, slow) = run(Fraiseql).await;
    let error = slow.failed().await;
    assert!(matches!(error, Error::RepeatableRead), "{error}");
    assert!(!error.is_retryable());
    assert_eq!(world.wrong(View::Post).await, []);
}
