//! Tests that documents are correct after the server is killed, with fsync on, and started again.
//!
//! The guarantee: documents written in the writer's transaction, or by a mutation, are correct
//! whether or not it returned. On a pool they are correct if the last sync of the key returned
//! `Ok`; all others are after a sync that does, or after a full sync.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use dev_postgres::Server;
use fraiseql_runtime::rebuild::{RebuildReport, RebuildState};
use fraiseql_tests::world::blog::{
    Post, migrated_on, model, post, posts, sync_all_posts, sync_post, verify_post,
};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgConnection, PgPool};
use uuid::Uuid;

use crate::posts::{NONE, change_and_sync, change_with_sync, failed, mutate, wrong};

/// A directory that is removed after the test.
struct Directory(PathBuf);

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Starts the server of a directory, and waits until it accepts connections. A server that was
/// killed may still have processes; a new one does not start before they end.
async fn start(directory: &Path) -> Server {
    let deadline = Instant::now() + Duration::from_secs(40);
    loop {
        let server = Server::builder()
            .persistent(directory)
            .ignore_database_url()
            .start();
        match server {
            Ok(server) if answers(server.options()).await => return server,
            Err(error) if Instant::now() > deadline => panic!("{error}"),
            _ => assert!(Instant::now() < deadline, "the server does not answer"),
        }
    }
}

/// Whether a server accepts a connection within a short time.
async fn answers(options: &PgConnectOptions) -> bool {
    let deadline = Instant::now() + Duration::from_secs(5);
    while Instant::now() < deadline {
        if let Ok(connection) = PgConnection::connect_with(options).await {
            return connection.close().await.is_ok();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    false
}

async fn connect(options: PgConnectOptions) -> PgPool {
    PgPoolOptions::new()
        .max_connections(10)
        .acquire_timeout(Duration::from_secs(2))
        .connect_with(options)
        .await
        .unwrap()
}

fn kill(pid: i32) {
    let status = Command::new("kill")
        .args(["-KILL", &pid.to_string()])
        .status();
    assert!(status.unwrap().success(), "killing {pid}");
}

/// The postmaster; the other processes end when it does.
fn postmaster(directory: &Path) -> i32 {
    let data = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.join("postmaster.pid").exists())
        .expect("it runs");
    let text = std::fs::read_to_string(data.join("postmaster.pid")).unwrap();
    text.lines().next().unwrap().trim().parse().unwrap()
}

/// What the clients did until they met an error.
struct Crash {
    /// Keys whose last change did not return `Ok`.
    unanswered: BTreeSet<Uuid>,
    /// The number of changes that returned `Ok`.
    answered: u64,
}

/// Runs two clients that sync on the pool (posts 1 to 20), two in their transactions (21 to 40),
/// two with mutations (41 to 60), a full sync and a rebuild; calls `strike` once all are under way.
async fn crash(pool: &PgPool, strike: impl AsyncFnOnce()) -> Crash {
    let answered = Arc::new(AtomicU64::new(0));
    let over = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..6_u32)
        .map(|client| {
            let (pool, answered, over) = (pool.clone(), Arc::clone(&answered), Arc::clone(&over));
            tokio::spawn(async move {
                let model = model();
                let mut value = 0;
                while !over.load(Ordering::Relaxed) {
                    value += 1;
                    // Each client has keys of its own, so that the last change of a key is known.
                    let key = post(client * 10 + u32::try_from(value % 10).unwrap() + 1);
                    let result = match client {
                        0 | 1 => change_and_sync(&pool, key, value).await,
                        2 | 3 => change_with_sync(&pool, key, value).await,
                        _ => mutate(&model, &pool, key, value).await,
                    };
                    match result {
                        Ok(()) => answered.fetch_add(1, Ordering::Relaxed),
                        Err(error) => return Some((key, error)),
                    };
                }
                // The idle connection of the pool was lost, and has been replaced.
                None
            })
        })
        .collect();
    let full = {
        let pool = pool.clone();
        let over = Arc::clone(&over);
        tokio::spawn(async move {
            while sync_all_posts(&pool).chunk(3).await.is_ok() && !over.load(Ordering::Relaxed) {}
        })
    };
    let rebuild = {
        let pool = pool.clone();
        let over = Arc::clone(&over);
        tokio::spawn(async move {
            while rebuild(&pool).await.is_ok() && !over.load(Ordering::Relaxed) {}
        })
    };
    while answered.load(Ordering::Relaxed) < 300 && !full.is_finished() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    strike().await;
    over.store(true, Ordering::Relaxed);
    let mut unanswered = BTreeSet::new();
    for client in clients {
        if let Some((key, error)) = client.await.unwrap() {
            assert!(!error.is_retryable(), "before the crash: {error}");
            unanswered.insert(key);
        }
    }
    full.await.unwrap();
    rebuild.await.unwrap();
    Crash {
        unanswered,
        answered: answered.load(Ordering::Relaxed),
    }
}

/// Marks all documents as stale, in the order of their keys, and rebuilds them.
async fn rebuild(pool: &PgPool) -> fraiseql_runtime::Result<RebuildReport> {
    sqlx::raw_sql(
        "WITH documents AS MATERIALIZED (SELECT id FROM tv_post ORDER BY id FOR UPDATE)
         UPDATE tv_post AS v SET shape = v.shape - 1 FROM documents WHERE v.id = documents.id;
         DELETE FROM fraiseql_view",
    )
    .execute(pool)
    .await
    .map_err(failed)?;
    model().rebuild(pool).chunk(7).await
}

/// The number of changes in the base tables: each has a comment.
async fn changes(pool: &PgPool) -> u64 {
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM tb_comment")
        .fetch_one(pool)
        .await
        .unwrap();
    u64::try_from(count).unwrap()
}

/// Asserts what a crash may leave behind, and repairs it.
async fn recover(pool: &PgPool, crash: &Crash, before: u64, again: Again) {
    let found = changes(pool).await - before;
    assert!(
        (crash.answered..=crash.answered + 6).contains(&found),
        "{found} changes of {}",
        crash.answered
    );
    let in_transactions = posts(21..=60);
    let left = wrong(pool).await;
    for key in &left {
        assert!(!in_transactions.contains(key), "{key} is not as committed");
        assert!(crash.unanswered.contains(key), "{key} had been answered");
    }
    let verified = verify_post(pool).await.unwrap();
    assert_eq!(verified.drifted.of::<Post>(), left, "{verified}");
    assert_eq!(verified.missing.total() + verified.orphaned.total(), 0);
    if again == Again::Sync {
        let again: Vec<Uuid> = crash.unanswered.iter().copied().collect();
        sync_post(pool, &again).await.unwrap();
    } else {
        verify_post(pool).repair().await.unwrap();
    }
    assert_eq!(wrong(pool).await, NONE);
    // The rebuild resumes; the server may still hold the lock of the interrupted one.
    let deadline = Instant::now() + Duration::from_secs(20);
    while !model().rebuild(pool).await.unwrap().is_complete() {
        assert!(Instant::now() < deadline, "the lock outlives its session");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let status = model().rebuild_status(pool).await.unwrap();
    assert_eq!(status[0].state, RebuildState::Done);
    let old: i64 = sqlx::query_scalar("SELECT count(*) FROM tv_post WHERE shape <> $1")
        .bind(status[0].shape)
        .fetch_one(pool)
        .await
        .unwrap();
    assert_eq!(old, 0, "documents of another shape");
    assert_eq!(wrong(pool).await, NONE);
}

/// How documents of changes that did not return are repaired.
#[derive(PartialEq)]
enum Again {
    Sync,
    Repair,
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_of_completed_calls_survive_a_killed_server() {
    let directory = Directory(std::env::temp_dir().join(format!("faults-{}", Uuid::new_v4())));
    let mut server = start(&directory.0).await;
    let database = server.create_database().await.unwrap();
    let name = database.get_database().unwrap().to_owned();
    let pool = connect(database).await;
    migrated_on(&pool, 60).await;
    sync_all_posts(&pool).await.unwrap();
    pool.close().await;
    let mut unanswered = 0;
    for _ in 0..3 {
        let pool = connect(server.options().clone().database(&name)).await;
        let before = changes(&pool).await;
        let crash = crash(&pool, async || kill(postmaster(&directory.0))).await;
        drop(pool);
        drop(server);
        server = start(&directory.0).await;
        let pool = connect(server.options().clone().database(&name)).await;
        unanswered += crash.unanswered.len();
        recover(&pool, &crash, before, Again::Sync).await;
        let report = sync_all_posts(&pool).await.unwrap();
        assert_eq!(report.changed(), 0, "{report}");
        pool.close().await;
    }
    assert!(
        unanswered > 0,
        "it was never killed in the middle of a change"
    );
}

/// One server process is killed: the postmaster ends all others and starts again by itself.
#[tokio::test(flavor = "multi_thread")]
async fn documents_of_completed_calls_survive_an_automatic_restart() {
    let directory = Directory(std::env::temp_dir().join(format!("faults-{}", Uuid::new_v4())));
    let server = start(&directory.0).await;
    let database = server.create_database().await.unwrap();
    let pool = connect(database.clone()).await;
    migrated_on(&pool, 60).await;
    sync_all_posts(&pool).await.unwrap();
    for _ in 0..2 {
        let before = changes(&pool).await;
        let crash = crash(&pool, async || {
            let pid: i32 = sqlx::query_scalar(
                "SELECT pid FROM pg_stat_activity
                 WHERE datname = current_database() AND pid <> pg_backend_pid()
                 ORDER BY random() LIMIT 1",
            )
            .fetch_one(&pool)
            .await
            .unwrap();
            kill(pid);
        })
        .await;
        // The same pool, as soon as the server accepts connections again.
        let deadline = Instant::now() + Duration::from_secs(30);
        while sqlx::query("SELECT 1").execute(&pool).await.is_err() {
            assert!(Instant::now() < deadline, "the server does not come back");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        recover(&pool, &crash, before, Again::Repair).await;
    }
    pool.close().await;
}
