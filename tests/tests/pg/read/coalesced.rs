//! Tests that reads which are one statement find what each would have found alone.

use std::sync::Arc;
use std::time::Duration;

use fraiseql_runtime::__graphql::{Scope, documents_at};
use fraiseql_runtime::view::ViewDef;
use fraiseql_runtime::{Keys, Readers, TView};
use fraiseql_tests::world;
use futures_util::future::join_all;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::Value;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::sync::Mutex;

#[derive(Debug, TView)]
#[allow(dead_code)]
struct Post {
    id: i64,
    #[tview(tenant, hidden)]
    blog_id: i32,
    title: String,
}

/// A release that has another shape of the same documents.
mod older {
    use fraiseql_runtime::TView;

    #[derive(Debug, TView)]
    #[allow(dead_code)]
    pub(super) struct Post {
        pub(super) id: i64,
        #[tview(tenant, hidden)]
        pub(super) blog_id: i32,
        #[tview(json = "oldTitle")]
        pub(super) title: String,
    }
}

/// Posts 1 to `count` of two blogs in turn, and connections of which reads of a kind have one.
async fn pool(count: i64) -> PgPool {
    let pool = PgPoolOptions::new()
        .max_connections(3)
        .connect_with(fraiseql_tests::database().await)
        .await
        .unwrap();
    world::numbered_blog()
        .column("tb_post", "blog_id int4 NOT NULL DEFAULT 0")
        .rows(count)
        .sql("UPDATE tb_post SET blog_id = id % 2")
        .on(&pool)
        .await;
    world::model::<Post>().migrate(&pool).await.unwrap();
    sync_all_posts(&pool).await.unwrap();
    pool
}

#[tokio::test]
async fn each_read_finds_its_own_document() {
    let pool = pool(40).await;
    // Some are stale: they are built to be read.
    older::sync_post(&pool, &[3, 4, 11, 12, 40]).await.unwrap();
    // The rows of these are gone.
    fraiseql_tests::run(&pool, "DELETE FROM tb_post WHERE id IN (4, 7)").await;
    let readers = Readers::lending(pool);
    for round in 0..20 {
        let reads = (0..200).map(|n: i64| {
            let readers = readers.clone();
            let (key, blog) = ((n * 7 + round) % 45, i32::try_from(n % 2).unwrap());
            tokio::spawn(async move {
                let found = match n % 3 {
                    0 => Post::across_tenants().find(&readers, key).await.unwrap(),
                    _ => Post::of(blog).find(&readers, key).await.unwrap(),
                };
                let is_others = n % 3 != 0 && key % 2 != i64::from(blog);
                // The document of 7 was not synced since.
                let exists = (1..=40).contains(&key) && key != 4;
                let expected = (exists && !is_others).then_some(key);
                assert_eq!(found.map(|post| post.id), expected, "{key} of {blog}");
            })
        });
        for read in join_all(reads.collect::<Vec<_>>()).await {
            read.unwrap();
        }
    }
}

#[tokio::test]
async fn a_read_sees_what_was_committed_before_it_began() {
    let pool = pool(6).await;
    let readers = Readers::lending(pool.clone());
    let titles: Arc<Vec<Mutex<u32>>> = Arc::new((0..6).map(|_| Mutex::new(0)).collect());
    let tasks = (0..12_u64).map(|seed| {
        let (pool, readers, titles) = (pool.clone(), readers.clone(), Arc::clone(&titles));
        tokio::spawn(async move {
            let mut random = StdRng::seed_from_u64(seed);
            for _ in 0..150 {
                let index = random.random_range(0..6);
                let key = i64::try_from(index).unwrap() + 1;
                if random.random_bool(0.2) {
                    let mut title = titles[index].lock().await;
                    *title += 1;
                    sqlx::query("UPDATE tb_post SET title = $2 WHERE id = $1")
                        .bind(key)
                        .bind(title.to_string())
                        .execute(&pool)
                        .await
                        .unwrap();
                    sync_post(&pool, &[key]).await.unwrap();
                    // Nobody changes it now: this is the one that is there.
                    let read = Post::across_tenants().find(&readers, key).await.unwrap();
                    assert_eq!(read.unwrap().title, title.to_string());
                } else {
                    let read = Post::across_tenants().find(&readers, key).await.unwrap();
                    assert_eq!(read.unwrap().id, key);
                }
                if random.random_bool(0.1) {
                    tokio::time::sleep(Duration::from_micros(random.random_range(0..2_000))).await;
                }
            }
        })
    });
    for task in join_all(tasks.collect::<Vec<_>>()).await {
        task.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_that_are_given_up_take_nobody_along() {
    let pool = pool(40).await;
    let readers = Readers::lending(pool.clone());
    let mut random = StdRng::seed_from_u64(7);
    for _ in 0..100 {
        let reads: Vec<_> = (1..=40)
            .map(|key| {
                let readers = readers.clone();
                tokio::spawn(async move {
                    let read = Post::across_tenants().find(&readers, key).await;
                    read.unwrap().unwrap().id
                })
            })
            .collect();
        tokio::time::sleep(Duration::from_micros(random.random_range(0..1_500))).await;
        let mut given_up = Vec::new();
        for read in &reads {
            let gives_up = random.random_bool(0.5);
            given_up.push(gives_up);
            if gives_up {
                read.abort();
            }
        }
        let all = tokio::time::timeout(Duration::from_secs(60), join_all(reads)).await;
        for ((read, key), gives_up) in all.unwrap().into_iter().zip(1_i64..).zip(given_up) {
            match read {
                Ok(id) => assert_eq!(id, key),
                Err(error) => assert!(gives_up && error.is_cancelled(), "{key}: {error}"),
            }
        }
    }
    // No place is lost.
    let debug = format!("{readers:?}");
    assert!(debug.contains("groups: 0"), "{debug}");
}

#[tokio::test]
async fn a_read_that_is_not_polled_delays_others_but_briefly() {
    let pool = pool(4).await;
    let readers = Readers::lending(pool);
    let mut first = Box::pin(async { Post::across_tenants().find(&readers, 1).await });
    // It has begun, and nobody polls it while the others read.
    assert!(futures_util::FutureExt::now_or_never(&mut first).is_none());
    for key in 2..=4 {
        let read = async { Post::across_tenants().find(&readers, key).await };
        let read = tokio::time::timeout(Duration::from_secs(30), read).await;
        assert_eq!(read.unwrap().unwrap().unwrap().id, key);
    }
    assert_eq!(first.await.unwrap().unwrap().id, 1);
}

#[tokio::test]
async fn lists_of_one_key_have_its_document() {
    let pool = pool(40).await;
    let readers = Readers::lending(pool);
    let reads = (1..=40).map(|key: i64| {
        let readers = readers.clone();
        tokio::spawn(async move {
            // As entities, sinks and subscriptions read.
            let (view, scope) = (<Post as ViewDef>::handle(), Scope::AcrossTenants);
            let key_list = Keys::I64(vec![key]);
            let read = documents_at(&readers, view, scope, vec![key_list], None).await;
            let found = read.unwrap().pop().flatten();
            let found: Value = serde_json::from_slice(found.expect("it exists").json()).unwrap();
            assert_eq!(found["id"], key);
            let many = Post::across_tenants().find_many(&readers, &[key]).await;
            assert_eq!(many.unwrap()[0].id, key);
        })
    });
    for read in join_all(reads.collect::<Vec<_>>()).await {
        read.unwrap();
    }
}

/// Documents that are built when they are read.
mod live {
    use fraiseql_runtime::TView;

    #[derive(Debug, TView)]
    #[tview(storage = "live", table = "tb_post")]
    #[allow(dead_code)]
    pub(super) struct Reading {
        pub(super) id: i64,
        pub(super) title: String,
        pub(super) ratio: f64,
    }
}

#[tokio::test]
async fn one_that_fails_is_the_only_one() {
    let pool = pool(9).await;
    fraiseql_tests::run(
        &pool,
        "ALTER TABLE tb_post ADD ratio float8 NOT NULL DEFAULT 1;
         UPDATE tb_post SET ratio = 'NaN' WHERE id = 5",
    )
    .await;
    world::model::<live::Reading>()
        .migrate(&pool)
        .await
        .unwrap();
    let readers = Readers::lending(pool);
    let reads = (1..=9).map(async |key| live::Reading::find(&readers, key).await);
    for (read, key) in join_all(reads).await.into_iter().zip(1..) {
        match key {
            5 => {
                let error = read.unwrap_err().to_string();
                assert!(error.contains("ratio"), "{error}");
            }
            key => assert_eq!(read.unwrap().unwrap().id, key),
        }
    }
}
