//! Runs a race with the plain upsert and with fraiseql's statements, in every place.

use fraiseql_runtime::Capture;

use crate::races::session::Place::{After, Captured, Inside, Mutation, Nowhere};
use crate::races::session::{Place, Session, Syncer};
use crate::races::world::{Documents, View, World, Wrong};

/// The places in which the slow and the fast session sync.
pub(crate) type Places = (Place, Place);

/// All places without mutations.
pub(crate) const EVERYWHERE: [Places; 4] = [
    (After, After),
    (Inside, Inside),
    (After, Inside),
    (Inside, After),
];

/// Those in which one of the two is a mutation.
const MUTATIONS: [Places; 5] = [
    (Mutation, Mutation),
    (Mutation, After),
    (After, Mutation),
    (Mutation, Inside),
    (Inside, Mutation),
];

/// Places in which changes are captured, and documents may be left to a worker. In all of them the slow session builds
/// documents.
const QUEUE: [Places; 5] = [
    (Captured, Captured),
    (Captured, After),
    (Inside, Captured),
    (Captured, Nowhere),
    (After, Nowhere),
];

/// Places in which every transaction syncs the documents of its changes when it commits.
const AT_COMMIT: [Places; 4] = [
    (Nowhere, Nowhere),
    (Nowhere, After),
    (After, Nowhere),
    (Nowhere, Captured),
];

/// The documents that are wrong after the race.
pub(crate) type Lost<'a> = (View, &'a [i32]);

/// Runs a race of a slow and a fast session. The plain upsert makes the documents `lost` wrong in
/// the places `loses`, which shows that the race took place, and none in the others; with fraiseql
/// all documents are correct in all places.
pub(crate) async fn race(
    lost: Lost<'_>,
    documents: Documents,
    loses: &[Places],
    scenario: impl AsyncFn(&World, Session, Session),
) {
    let mut world = World::new().await;
    plain_upsert_loses(&mut world, lost, documents, loses, &scenario).await;
    let others: Vec<Places> = EVERYWHERE
        .into_iter()
        .filter(|places| !loses.contains(places))
        .collect();
    plain_upsert_loses(&mut world, (lost.0, &[]), documents, &others, &scenario).await;
    let everywhere = [&EVERYWHERE[..], &MUTATIONS[..]].concat();
    fraiseql_upholds(&mut world, lost.0, documents, &everywhere, &scenario).await;
    let captured = [
        (Capture::Queue, &QUEUE[..]),
        (Capture::AtCommit, &AT_COMMIT[..]),
    ];
    for (capture, places) in captured {
        let mut world = World::capturing(capture).await;
        fraiseql_upholds(&mut world, lost.0, documents, places, &scenario).await;
    }
}

/// The same, for races in which fraiseql is correct only in the places `holds`.
pub(crate) async fn race_in(
    lost: Lost<'_>,
    documents: Documents,
    loses: &[Places],
    holds: &[Places],
    scenario: impl AsyncFn(&World, Session, Session),
) {
    let mut world = World::new().await;
    plain_upsert_loses(&mut world, lost, documents, loses, &scenario).await;
    fraiseql_upholds(&mut world, lost.0, documents, holds, &scenario).await;
}

/// Asserts that the plain upsert makes these documents wrong, in all of these places.
async fn plain_upsert_loses(
    world: &mut World,
    (view, lost): Lost<'_>,
    documents: Documents,
    places: &[Places],
    scenario: &impl AsyncFn(&World, Session, Session),
) {
    for places in places {
        let wrong = run(world, view, Syncer::Plain, documents, *places, scenario).await;
        let keys: Vec<i32> = wrong.iter().map(|(key, _)| *key).collect();
        assert_eq!(keys, lost, "plain upsert, {places:?}: {wrong:#?}");
    }
}

/// Asserts that fraiseql makes none wrong.
async fn fraiseql_upholds(
    world: &mut World,
    kind: View,
    documents: Documents,
    places: &[Places],
    scenario: &impl AsyncFn(&World, Session, Session),
) {
    // Partitions make no difference to what is captured.
    let views = if kind == View::Post && world.capture == Capture::Off {
        &[View::Post, View::Parted][..]
    } else {
        &[kind]
    };
    let mut lost = Vec::new();
    for view in views {
        for places in places {
            let wrong = run(world, *view, Syncer::Fraiseql, documents, *places, scenario).await;
            lost.extend(wrong.into_iter().map(|wrong| (*view, *places, wrong)));
        }
    }
    assert!(lost.is_empty(), "lost by fraiseql: {lost:#?}");
}

async fn run(
    world: &mut World,
    view: View,
    syncer: Syncer,
    documents: Documents,
    (slow, fast): Places,
    scenario: &impl AsyncFn(&World, Session, Session),
) -> Vec<Wrong> {
    world.reset(view, documents).await;
    let slow = world.slow_session(syncer, slow).await;
    let fast = world.session(syncer, fast).await;
    scenario(world, slow, fast).await;
    if world.capture != Capture::Off {
        world.drain().await;
    }
    world.wrong(view).await
}
