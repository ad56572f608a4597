//! Reads of a schema: by key, lists, pages, every storage.

use fraiseql_runtime::list::{Filter, OrderBy, Page};
use fraiseql_runtime::{Readers, Replicas, TView as _};

use super::synced;
use super::world::{LiveTag, Post, State, TagUse, User};

#[tokio::test]
async fn every_read_is_of_its_schema() -> anyhow::Result<()> {
    let (pool, models) = synced(None).await?;
    for (place, model) in models.iter().enumerate() {
        let target = model.on(&pool);
        let post = Post::find(target.clone(), 3).await?.unwrap();
        assert_eq!(post.title, format!("Post 3 of {place}"));
        assert_eq!(post.state, State::Draft);
        let json = Post::find_json(target.clone(), 3).await?.unwrap();
        assert!(json.get().contains(&post.title), "{json}");
        let users = User::find_many(target.clone(), &[2, 9, 1]).await?;
        let names: Vec<_> = users.into_iter().map(|user| user.name).collect();
        assert_eq!(
            names,
            [format!("User 2 of {place}"), format!("User 1 of {place}")]
        );

        let list = Post::list().order_by(OrderBy::desc("title"));
        let titles =
            |posts: Vec<Post>| posts.into_iter().map(|post| post.title).collect::<Vec<_>>();
        let two = [format!("Post 4 of {place}"), format!("Post 3 of {place}")];
        assert_eq!(
            titles(list.clone().limit(2).fetch(target.clone()).await?),
            two
        );
        let plan = list.explain(target.clone()).await?;
        assert!(plan.contains("Scan on tv_post"), "{plan}");
        let first = list.page(Page::first(2), target.clone()).await?;
        let rest = Page::first(9).after(first.end().unwrap().clone());
        assert_eq!(list.page(rest, target.clone()).await?.len(), 2);
        let mine = Filter::eq("title", format!("Post 1 of {place}"));
        assert_eq!(
            Post::list().filter(mine).read(target.clone()).await?.len(),
            1
        );
        let others = Filter::eq("title", format!("Post 1 of {}", 1 - place));
        assert_eq!(
            Post::list()
                .filter(others)
                .read(target.clone())
                .await?
                .len(),
            0
        );

        assert_eq!(
            LiveTag::find(target.clone(), 2).await?.unwrap().name,
            format!("Tag 2 of {place}")
        );
        assert_eq!(TagUse::list().read(target).await?.len(), 2);
        assert!(model.age::<TagUse>(&pool).await?.is_some());
        model.refresh::<TagUse>(&pool).await?;
    }
    Ok(())
}

#[tokio::test]
async fn every_target_can_be_of_a_schema() -> anyhow::Result<()> {
    let (pool, [model, _]) = synced(None).await?;
    let title = "Post 1 of 0";
    let held = model.on(pool.clone());
    assert_eq!(Post::find(&held, 1).await?.unwrap().title, title);
    assert_eq!(Post::list().fetch::<Post>(&held).await?.len(), 4);
    let readers = model.readers(Readers::lending(pool.clone()));
    assert_eq!(Post::find(&readers, 1).await?.unwrap().title, title);
    assert_eq!(Post::list().fetch::<Post>(&readers).await?.len(), 4);
    let replicas = Replicas::new(pool.clone());
    assert_eq!(
        Post::find(model.on(&replicas), 1).await?.unwrap().title,
        title
    );
    let mut tx = pool.begin().await?;
    assert_eq!(
        Post::find(model.on(&mut tx), 1).await?.unwrap().title,
        title
    );
    sqlx::query("UPDATE customer_7.tb_post SET title = 'New' WHERE id = 1")
        .execute(&mut *tx)
        .await?;
    super::world::sync_post(model.on(&mut tx), &[1]).await?;
    assert_eq!(
        Post::find(model.on(&mut tx), 1).await?.unwrap().title,
        "New"
    );
    Ok(())
}

/// A view that a deployment has not migrated there is not read elsewhere.
#[tokio::test]
async fn what_a_schema_lacks_is_not_read_from_public() -> anyhow::Result<()> {
    let (pool, [model, _]) = synced(None).await?;
    fraiseql_tests::run(&pool, "CREATE TABLE public.tv_post AS SELECT * FROM customer_7.tv_post; DROP TABLE customer_7.tv_post CASCADE").await;
    let error = Post::find(model.on(&pool), 1)
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("\"customer_7\".\"tv_post\""), "{error}");
    Ok(())
}
