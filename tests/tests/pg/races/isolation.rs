//! Tests the protocols where the writer's transaction has another isolation level.

use fraiseql_runtime::Error;

use crate::races::session::Place::{self, Inside, Mutation};
use crate::races::session::Step::{self, End, Posts, Write};
use crate::races::session::Syncer::{self, Ours, Plain};
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

/// Runs the two sessions against each other; says how often each began anew.
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
    let slow_session = world.slow_session(Ours, place).await.isolation(levels[0]);
    let slow = slow_session.start(slow);
    assert_eq!(world.settled([&slow]).await, [false]);
    let fast_session = world.session(Ours, place).await.isolation(levels[1]);
    let fast = fast_session.start(fast);
    world.settled([&slow, &fast]).await;
    gate.commit().await.unwrap();
    let retries = [slow.done().await.retries, fast.done().await.retries];
    (world, retries)
}

#[tokio::test]
async fn serializable_transactions_that_are_run_again_lose_nothing() {
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
            // They met: one of them had to begin anew.
            assert_eq!(retries, [0, 1], "{name}, {documents:?}");
        }
    }
}

/// PostgreSQL sees a conflict of serializable transactions only among themselves. A mutation
/// looks at what is committed, too; a transaction by hand is not right among others.
#[tokio::test]
async fn a_serializable_mutation_among_others() {
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
async fn a_serializable_transaction_that_is_too_late_is_told_to_begin_anew() {
    let mut world = World::new().await;
    world.reset(View::Post, Documents::Exist).await;
    let gate = world.gate().await;
    let slow = world
        .slow_session(Ours, Inside)
        .await
        .isolation(SERIALIZABLE);
    let slow = slow.start(&RETITLE);
    assert_eq!(world.settled([&slow]).await, [false]);
    let fast = world.session(Ours, Inside).await.isolation(SERIALIZABLE);
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
    let fast = world.session(Ours, Inside).await.isolation(SERIALIZABLE);
    fast.start(&COMMENT).done().await;
    assert_eq!(world.wrong(View::Post).await, []);
}

/// The snapshot of the slow one is older than the change, and so would its document be. The plain
/// statement writes it, ours refuses.
#[tokio::test]
async fn repeatable_read_is_refused_where_it_would_lose() {
    let run = async |syncer: Syncer| {
        let mut world = World::new().await;
        world.reset(View::Post, Documents::Exist).await;
        // Its snapshot.
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
        "the plain statement: {wrong:?}"
    );
    let (world, slow) = run(Ours).await;
    let error = slow.failed().await;
    assert!(matches!(error, Error::RepeatableRead), "{error}");
    assert!(!error.is_retryable());
    assert_eq!(world.wrong(View::Post).await, []);
}
