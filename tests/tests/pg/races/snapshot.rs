//! Tests that a statement takes its snapshot after it has locked its tables, in every PostgreSQL.
//!
//! The protocols rely on it: a change that is committed while a statement waits for a table is in
//! its documents.

use fraiseql_tests::run;

use crate::races::session::Place::{After, Inside};
use crate::races::session::Step::{End, Posts, Write};
use crate::races::session::Syncer::Fraiseql;
use crate::races::world::{Documents, View, World};

/// How often the session has run the statement before: newly prepared, with a custom plan, and with
/// the generic plan, which PostgreSQL makes after five runs.
const BEFORE: [usize; 3] = [0, 1, 8];

#[tokio::test]
async fn a_sync_that_waits_for_a_table_sees_what_was_committed_meanwhile() {
    let locks = [
        (View::Post, "LOCK TABLE tv_post IN ACCESS EXCLUSIVE MODE"),
        (
            View::Parted,
            "LOCK TABLE tv_parted IN ACCESS EXCLUSIVE MODE",
        ),
        (
            View::Parted,
            "LOCK TABLE tv_parted_p2 IN ACCESS EXCLUSIVE MODE",
        ),
        (View::Post, "LOCK TABLE tb_comment IN ACCESS EXCLUSIVE MODE"),
        (View::Post, "LOCK TABLE tb_post IN ACCESS EXCLUSIVE MODE"),
    ];
    let mut world = World::new().await;
    // In a transaction, a sync may already hold locks on the posts whose documents it waits to
    // write.
    let comment = "INSERT INTO tb_comment VALUES (10, 1, 3, 'More'), (11, 2, 3, 'More')";
    let everything = "UPDATE tb_post SET title = 'New';
         INSERT INTO tb_comment VALUES (10, 1, 3, 'More');
         DELETE FROM tb_post WHERE id = 2";
    for (place, change) in [(After, everything), (Inside, comment)] {
        for (view, lock) in locks {
            for documents in [Documents::Exist, Documents::First] {
                for before in BEFORE {
                    world.reset(view, documents).await;
                    let mut session = world.session(Fraiseql, place).await;
                    for _ in 0..before {
                        session = session.start(&[Posts("ARRAY[2]"), End]).done().await;
                    }
                    let mut holder = world.pool.begin().await.unwrap();
                    sqlx::raw_sql(lock).execute(&mut *holder).await.unwrap();
                    let steps = [Posts("ARRAY[1, 2]"), End];
                    let waiting = session.start(&steps);
                    assert_eq!(world.settled([&waiting]).await, [false], "{lock}");
                    // In the transaction that holds the table, because no other could.
                    sqlx::raw_sql(change).execute(&mut *holder).await.unwrap();
                    holder.commit().await.unwrap();
                    waiting.done().await;
                    let wrong = world.wrong(view).await;
                    assert!(
                        wrong.is_empty(),
                        "{lock}, {place:?}, {documents:?}, run {before} times before: {wrong:#?}"
                    );
                }
            }
        }
    }
}

/// The same without any protocol: one statement, and whether it sees the change.
#[tokio::test]
async fn a_statement_takes_its_snapshot_after_its_table_locks() {
    let mut world = World::new().await;
    world.reset(View::Post, Documents::Exist).await;
    run(&world.pool, "CREATE TABLE seen (title text)").await;
    let insert = Write("INSERT INTO seen SELECT title FROM tb_post WHERE id = 1");
    for before in BEFORE {
        run(&world.pool, "UPDATE tb_post SET title = 'One'").await;
        let mut session = world.session(Fraiseql, After).await;
        for _ in 0..before {
            session = session.start(&[insert]).done().await;
        }
        run(&world.pool, "TRUNCATE seen").await;
        let mut holder = world.pool.begin().await.unwrap();
        sqlx::raw_sql("LOCK TABLE seen IN ACCESS EXCLUSIVE MODE")
            .execute(&mut *holder)
            .await
            .unwrap();
        let waiting = session.start(&[insert]);
        assert_eq!(world.settled([&waiting]).await, [false]);
        run(&world.pool, "UPDATE tb_post SET title = 'New'").await;
        holder.commit().await.unwrap();
        waiting.done().await;
        let seen: String = sqlx::query_scalar("SELECT title FROM seen")
            .fetch_one(&world.pool)
            .await
            .unwrap();
        assert_eq!(seen, "New", "run {before} times before");
    }
}
