//! Tests a sync on a pool whose snapshot is older than the commit of a transaction that has synced,
//! and that runs on after that commit.
//!
//! The sync is stopped after its snapshot by a lock on the primary key of the view table: a generic
//! plan opens indexes when it starts to execute.

use fraiseql_runtime::{Mutation, ReadModel};
use sqlx::{Postgres, Transaction};

use crate::races::session::Place::{After, Inside};
use crate::races::session::Running;
use crate::races::session::Step::{End, Posts, Write};
use crate::races::session::Syncer::Fraiseql;
use crate::races::world::{Author, Documents, Post, User, View, World};
use fraiseql_tests::run;

/// PostgreSQL makes a generic plan after five runs.
const RUNS: usize = 8;

/// User 3 has no posts, so the transaction that renames the user needs no lock on any document.
const RENAME: &str = "UPDATE tb_user SET name = 'Countess' WHERE id = 3";

/// Adds a post by user 3, and starts a sync of it that has taken its snapshot and waits until the
/// transaction ends.
async fn stopped_sync(world: &World) -> (Running, Transaction<'static, Postgres>) {
    let mut session = world.session(Fraiseql, After).await;
    for _ in 0..RUNS {
        session = session.start(&[Posts("ARRAY[2]"), End]).done().await;
    }
    run(&world.pool, "INSERT INTO tb_post VALUES (9, 3, 'Nine')").await;
    let mut holder = world.pool.begin().await.unwrap();
    sqlx::raw_sql("ALTER INDEX tv_post_pkey SET TABLESPACE pg_default")
        .execute(&mut *holder)
        .await
        .unwrap();
    let sync = session.start(&[Posts("ARRAY[9]"), End]);
    assert_eq!(world.settled([&sync]).await, [false]);
    (sync, holder)
}

#[tokio::test]
async fn a_sync_sees_a_transaction_that_committed_after_its_snapshot() {
    let mut world = World::new().await;
    world.reset(View::Post, Documents::Exist).await;
    let writer = world.session(Fraiseql, Inside).await;
    let posts = Posts("ARRAY(SELECT id FROM tb_post WHERE author_id = 3)");
    let writer = writer.start(&[Write(RENAME), posts]).done().await;

    let (sync, holder) = stopped_sync(&world).await;
    writer.start(&[End]).done().await;
    holder.rollback().await.unwrap();

    sync.done().await;
    let wrong = world.wrong(View::Post).await;
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn a_sync_sees_a_mutation_that_committed_after_its_snapshot() {
    let mut world = World::new().await;
    world.reset(View::User, Documents::Exist).await;
    View::Post.sync_all(&world.pool).await.unwrap();
    let model = ReadModel::builder().view::<Post>().view::<User>();
    let model = model.build().unwrap();
    // The mutation waits for the document of the user, after it has looked up the posts.
    let mut document = world.pool.begin().await.unwrap();
    sqlx::raw_sql("SELECT FROM tv_user WHERE id = 3 FOR UPDATE")
        .execute(&mut *document)
        .await
        .unwrap();
    let mut mutation: Mutation = model.mutation(&world.pool).await.unwrap();
    sqlx::query(RENAME).execute(&mut *mutation).await.unwrap();
    mutation.changed::<Author>(&[3]);
    let pid: i32 = sqlx::query_scalar("SELECT pg_backend_pid()")
        .fetch_one(&mut *mutation)
        .await
        .unwrap();
    let mutation = Running::of(pid, tokio::spawn(mutation.commit()));
    assert_eq!(world.settled([&mutation]).await, [false]);

    let (sync, holder) = stopped_sync(&world).await;
    document.rollback().await.unwrap();
    mutation.done().await;
    holder.rollback().await.unwrap();

    sync.done().await;
    let wrong = world.wrong(View::Post).await;
    assert!(wrong.is_empty(), "{wrong:#?}");
}
