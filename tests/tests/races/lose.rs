//! One race, with the statement everyone writes and with ours, in every place.

use crate::session::Place::{After, Inside};
use crate::session::{Place, Session, Syncer};
use crate::world::{Documents, View, World, Wrong};

/// Where the slow and the fast session sync.
pub(crate) type Places = (Place, Place);

/// All of them.
pub(crate) const EVERYWHERE: [Places; 4] = [
    (After, After),
    (Inside, Inside),
    (After, Inside),
    (Inside, After),
];

/// The documents that are wrong afterwards: all that are.
pub(crate) type Lost<'a> = (View, &'a [i32]);

/// Runs a race of a slow and a fast session. The statement everyone writes makes the documents
/// `lost` wrong in the places `loses`, which shows that the race was run; with ours all
/// documents are right, everywhere.
pub(crate) async fn race(
    lost: Lost<'_>,
    documents: Documents,
    loses: &[Places],
    scenario: impl AsyncFn(&World, Session, Session),
) {
    let (kind, lost) = lost;
    let ours = if kind == View::Post {
        &[View::Post, View::Parted][..]
    } else {
        &[kind]
    };
    let mut world = World::new().await;
    let mut lost_by_us = Vec::new();
    for places in EVERYWHERE {
        let wrong = run(
            &mut world,
            kind,
            Syncer::Plain,
            documents,
            places,
            &scenario,
        )
        .await;
        let keys: Vec<i32> = wrong.iter().map(|(key, _)| *key).collect();
        let expected = if loses.contains(&places) { lost } else { &[] };
        assert_eq!(keys, expected, "plain, {places:?}: {wrong:#?}");
        for view in ours {
            let wrong = run(
                &mut world,
                *view,
                Syncer::Ours,
                documents,
                places,
                &scenario,
            )
            .await;
            lost_by_us.extend(wrong.into_iter().map(|wrong| (*view, places, wrong)));
        }
    }
    assert!(lost_by_us.is_empty(), "ours: {lost_by_us:#?}");
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
    world.wrong(view).await
}
