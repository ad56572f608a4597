//! Tests of the three kinds of streams.

use std::collections::BTreeSet;

use fraiseql_runtime::TView as _;
use fraiseql_runtime::feed::DocumentChange;

use super::{Post, Ticket, next, nothing, start, sync_post, sync_ticket, world};

#[tokio::test]
async fn a_document_is_sent_as_it_is_and_whenever_it_has_changed() {
    let (pool, model) = world().await;
    let feed = start(&model, &pool).await;
    let mut post = feed.document::<Post>(7);
    let first = next(&mut post).await.unwrap();
    assert_eq!(first, Post::find(&pool, 7).await.unwrap());

    fraiseql_tests::run(&pool, "UPDATE tb_post SET title = 'New' WHERE id IN (7, 8)").await;
    sync_post(&pool, &[7, 8]).await.unwrap();
    let second = next(&mut post).await.unwrap().unwrap();
    assert_eq!(second.title, "New");

    // A write after which it is equal is not sent, and neither is that of another document.
    fraiseql_tests::run(&pool, "UPDATE tv_post SET data = data WHERE id IN (7, 9)").await;
    nothing(&mut post).await;

    fraiseql_tests::run(&pool, "DELETE FROM tb_post WHERE id = 7").await;
    sync_post(&pool, &[7]).await.unwrap();
    assert_eq!(next(&mut post).await.unwrap(), None);
    fraiseql_tests::run(&pool, "INSERT INTO tb_post VALUES (7, 'Again', 1)").await;
    sync_post(&pool, &[7]).await.unwrap();
    assert_eq!(next(&mut post).await.unwrap().unwrap().title, "Again");
}

#[tokio::test]
async fn a_list_is_sent_whenever_it_has_changed() {
    let (pool, model) = world().await;
    let feed = start(&model, &pool).await;
    let list = || {
        Post::list()
            .filter(Post::TITLE.gte("Post 8"))
            .order_by(Post::TITLE.desc())
    };
    let mut posts = feed.list::<Post>(list().limit(3));
    let titles = |posts: Vec<Post>| posts.into_iter().map(|post| post.title).collect::<Vec<_>>();
    assert_eq!(
        titles(next(&mut posts).await.unwrap()),
        ["Post 9", "Post 8"]
    );

    // A document that comes to it, one that is not in it, and one that leaves it.
    fraiseql_tests::run(&pool, "UPDATE tb_post SET title = 'Q' WHERE id = 1").await;
    sync_post(&pool, &[1]).await.unwrap();
    assert_eq!(
        titles(next(&mut posts).await.unwrap()),
        ["Q", "Post 9", "Post 8"]
    );
    fraiseql_tests::run(&pool, "UPDATE tb_post SET title = 'A' WHERE id = 2").await;
    sync_post(&pool, &[2]).await.unwrap();
    nothing(&mut posts).await;
    fraiseql_tests::run(&pool, "UPDATE tb_post SET title = 'B' WHERE id = 9").await;
    sync_post(&pool, &[9]).await.unwrap();
    assert_eq!(titles(next(&mut posts).await.unwrap()), ["Q", "Post 8"]);
}

#[tokio::test]
async fn changes_are_the_keys_of_documents() {
    let (pool, model) = world().await;
    let feed = start(&model, &pool).await;
    let mut changes = feed.changes::<Post>();
    assert_eq!(next(&mut changes).await, DocumentChange::Reset);
    fraiseql_tests::run(&pool, "UPDATE tb_user SET name = 'Ada' WHERE id = 3").await;
    sync_post(&pool, &(1..=20).collect::<Vec<_>>())
        .await
        .unwrap();
    let DocumentChange::Changed(keys) = next(&mut changes).await else {
        panic!("a reset");
    };
    assert_eq!(BTreeSet::from_iter(keys), BTreeSet::from([2, 7, 12, 17]));
    nothing(&mut changes).await;
    fraiseql_tests::run(&pool, "TRUNCATE tv_post").await;
    assert_eq!(next(&mut changes).await, DocumentChange::Reset);
    nothing(&mut changes).await;
}

#[tokio::test]
async fn too_many_keys_are_a_reset() {
    let (pool, model) = world().await;
    let feed = model.feed(&pool).max_keys(3).start().await.unwrap();
    let mut changes = feed.changes::<Post>();
    assert_eq!(next(&mut changes).await, DocumentChange::Reset);
    fraiseql_tests::run(&pool, "UPDATE tb_post SET title = 'x'").await;
    sync_post(&pool, &[1, 2, 3]).await.unwrap();
    assert!(matches!(next(&mut changes).await, DocumentChange::Changed(keys) if keys.len() == 3));
    sync_post(&pool, &(4..=20).collect::<Vec<_>>())
        .await
        .unwrap();
    assert_eq!(next(&mut changes).await, DocumentChange::Reset);
}

#[tokio::test]
async fn a_tenant_hears_of_its_own_documents_only() {
    let (pool, model) = world().await;
    let feed = start(&model, &pool).await;
    let (one, two) = (Ticket::of(1), Ticket::of(2));
    let key = (1, "T-4".to_owned());
    let mut own = feed.document_of(&one, key.clone());
    assert_eq!(next(&mut own).await.unwrap().unwrap().subject, "Ticket 4");
    let mut of_another = feed.document_of(&two, key.clone());
    assert_eq!(next(&mut of_another).await.unwrap(), None);
    let mut changes = feed.changes_of(&one);
    let mut of_two = feed.changes_of(&two);
    let mut all = feed.changes_of(&Ticket::across_tenants());
    let mut list = feed.list::<Ticket>(two.list());
    for changes in [
        &mut changes as &mut (dyn futures_util::Stream<Item = _> + Unpin + Send),
        &mut of_two,
        &mut all,
    ] {
        let mut changes = changes;
        assert_eq!(next(&mut changes).await, DocumentChange::Reset);
    }
    assert_eq!(next(&mut list).await.unwrap().len(), 4);

    fraiseql_tests::run(
        &pool,
        "UPDATE tb_ticket SET subject = 'New' WHERE number IN ('T-4', 'T-7')",
    )
    .await;
    let keys = [key.clone(), (1, "T-7".to_owned())];
    sync_ticket(&pool, &keys).await.unwrap();
    assert_eq!(next(&mut own).await.unwrap().unwrap().subject, "New");
    for changes in [
        &mut changes as &mut (dyn futures_util::Stream<Item = _> + Unpin + Send),
        &mut all,
    ] {
        let mut changes = changes;
        let DocumentChange::Changed(found) = next(&mut changes).await else {
            panic!("a reset");
        };
        assert_eq!(BTreeSet::from_iter(found), BTreeSet::from(keys.clone()));
    }
    nothing(&mut of_two).await;
    nothing(&mut of_another).await;
    nothing(&mut list).await;

    // Moved to another tenant by hand: both hear of it.
    fraiseql_tests::run(
        &pool,
        "UPDATE tv_ticket SET org_id = 2 WHERE number = 'T-4'",
    )
    .await;
    let moved = |org| DocumentChange::Changed(vec![(org, "T-4".to_owned())]);
    assert_eq!(next(&mut changes).await, moved(1));
    assert_eq!(next(&mut of_two).await, moved(2));
    assert_eq!(next(&mut own).await.unwrap(), None);
}

#[tokio::test]
async fn a_stream_ends_with_its_feed_and_frees_what_it_had() {
    let (pool, model) = world().await;
    let feed = start(&model, &pool).await;
    let streams: Vec<_> = (1..=20).map(|id| feed.document::<Post>(id)).collect();
    assert_eq!(feed.health().streams, 20);
    drop(streams);
    assert_eq!(feed.health().streams, 0);
    // A stream goes on without the handle that it came from.
    let mut post = feed.document::<Post>(7);
    drop(feed);
    next(&mut post).await.unwrap();
    fraiseql_tests::run(&pool, "UPDATE tb_post SET title = 'New' WHERE id = 7").await;
    sync_post(&pool, &[7]).await.unwrap();
    assert_eq!(next(&mut post).await.unwrap().unwrap().title, "New");
}

#[tokio::test]
async fn a_model_without_a_feed_says_so() {
    let pool = fraiseql_tests::pool().await;
    let builder = fraiseql_runtime::ReadModel::builder().view::<Post>();
    let model = builder.build().unwrap();
    let error = model.feed(&pool).start().await.unwrap_err();
    assert!(matches!(error, fraiseql_runtime::Error::NoFeed));
    assert_eq!(
        error.to_string(),
        "this read model has no feed of documents: build it with `ReadModel::builder().feed()`, and migrate"
    );
    // One that was not migrated fails at once, and not in the background.
    let error = super::model().feed(&pool).start().await.unwrap_err();
    assert!(error.to_string().contains("fraiseql_feed"), "{error}");
}
