//! Tests that lists read stale documents, and omit fields that are not selected.

use fraiseql_runtime::TView;
use fraiseql_runtime::list::{OrderBy, Page};
use fraiseql_tests::world;
use serde_json::Value;

use super::{Comment, Post, ids, keys, posts};

/// What an older release wrote: stale documents, and no value in a column that was added later.
#[tokio::test]
async fn stale_documents_are_built_and_keep_their_position() {
    let pool = posts().await;
    fraiseql_tests::run(
        &pool,
        "UPDATE tv_post SET shape = 1, data = '{\"old\": true}', created_at = NULL WHERE id IN (2, 4);
         UPDATE tv_post SET shape = NULL, data = '{}' WHERE id = 3;
         DELETE FROM tb_comment WHERE post_id = 4; DELETE FROM tb_post WHERE id = 4",
    )
    .await;
    // Row 4 is gone from the base table, which only a sync will notice.
    assert_eq!(ids(&Post::list(), &pool).await, [1, 2, 3, 5]);
    assert_eq!(
        ids(&Post::list().order_by(OrderBy::desc("id")).limit(3), &pool).await,
        [5, 3]
    );
    let mut tx = pool.begin().await.unwrap();
    let posts: Vec<Post> = Post::list().fetch(&mut tx).await.unwrap();
    assert_eq!(posts.len(), 4);
    assert_eq!(
        (posts[1].title.as_str(), posts[1].comments.len()),
        ("More", 4)
    );
    tx.rollback().await.unwrap();

    // Each is on one page, although the column of the order is null where the struct does not allow
    // it.
    for order in [OrderBy::asc("createdAt"), OrderBy::desc("createdAt")] {
        let list = Post::list().order_by(order);
        let (mut forward, mut back) = (Vec::new(), Vec::new());
        let (mut next, mut previous) = (Page::first(1), Page::last(1));
        loop {
            let page = list.page(next, &pool).await.unwrap();
            forward.extend(keys(&page));
            if !page.has_next() {
                break;
            }
            next = Page::first(1).after(page.end().cloned());
        }
        loop {
            let page = list.page(previous, &pool).await.unwrap();
            back.splice(0..0, keys(&page));
            if !page.has_previous() {
                break;
            }
            previous = Page::last(1).before(page.start().cloned());
        }
        assert_eq!((&forward, forward.len()), (&back, 4));
    }
}

/// A view whose documents are stored as text.
#[derive(Debug, TView)]
#[tview(table = "tb_post", view = "tv_text", entity = "text", data = "json")]
struct Text {
    id: i64,
    title: String,
    #[tview(many(fk = "post_id", order_by = "id"))]
    comments: Vec<Comment>,
}

#[tokio::test]
async fn unselected_lists_are_omitted_on_the_server() {
    let pool = posts().await;
    let keys = |json: &[u8]| -> Vec<String> {
        let document: serde_json::Map<String, Value> = serde_json::from_slice(json).unwrap();
        document.keys().cloned().collect()
    };
    let whole = keys(
        Post::list()
            .read(&pool)
            .await
            .unwrap()
            .iter()
            .next()
            .unwrap()
            .json(),
    );
    let list = Post::list()
        .omit(["comments", "author"])
        .order_by(OrderBy::asc("rating"));
    let few: Vec<&String> = whole
        .iter()
        .filter(|key| !["comments", "author"].contains(&&***key))
        .collect();
    for document in &list.read(&pool).await.unwrap() {
        assert_eq!(keys(document.json()).iter().collect::<Vec<_>>(), few);
    }
    // Also in a page that is read in two ranges.
    let first = list.page(Page::first(2), &pool).await.unwrap();
    let second = list
        .page(Page::first(9).after(first.end().cloned()), &pool)
        .await
        .unwrap();
    assert!(
        list.page_sql(&Page::first(9).after(first.end().cloned()))
            .unwrap()
            .contains("UNION ALL")
    );
    assert_eq!(first.len() + second.len(), 5);
    for (_, document) in first.items().chain(second.items()) {
        assert_eq!(keys(document.json()).iter().collect::<Vec<_>>(), few);
    }
    // Without a list among the fields, omitting them is not worthwhile.
    let list = Post::list().omit(["author", "title"]);
    assert_eq!(list.sql().unwrap(), Post::list().sql().unwrap());
    // Text would have to be parsed to omit a field.
    let model = world::model::<Text>();
    model.migrate(&pool).await.unwrap();
    sync_all_texts(&pool).await.unwrap();
    let list = Text::list().omit(["comments"]);
    assert_eq!(list.sql().unwrap(), Text::list().sql().unwrap());
    assert_eq!(
        list.fetch::<Text>(&pool).await.unwrap()[0].comments.len(),
        4
    );
    assert_eq!(list.read(&pool).await.unwrap().len(), 5);
}
