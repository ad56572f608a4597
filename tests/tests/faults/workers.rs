//! Workers that are killed: what they had claimed is drained by others, and no change is lost.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use fraiseql_tests::world::worked::{captured, statement};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

/// A process, which is killed when it is dropped.
struct Worker(Child);

impl Worker {
    /// Starts a worker, and waits until it has connected.
    fn start(options: &PgConnectOptions) -> Self {
        let socket = options.get_socket().expect("a socket").display();
        let url = format!(
            "postgres://{}@localhost:{}/{}?host={socket}",
            options.get_username(),
            options.get_port(),
            options.get_database().unwrap()
        );
        let mut child = Command::new(env!("CARGO_BIN_EXE_worker"))
            .arg(url)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let output = child.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut line).unwrap();
        assert_eq!(line, "begun\n");
        Self(child)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // SIGKILL.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs random statements, each with a pause, until it is over. Counts those that succeeded.
async fn write(options: PgConnectOptions, seed: u64, over: Arc<AtomicBool>, done: Arc<AtomicU64>) {
    let mut random = StdRng::seed_from_u64(seed);
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    while !over.load(Ordering::Relaxed) {
        let sql = statement(|below| random.random_range(0..below));
        match sqlx::raw_sql(AssertSqlSafe(&*sql))
            .execute(&mut connection)
            .await
        {
            Ok(_) => {
                done.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => {
                let code = error.as_database_error().and_then(|error| error.code());
                assert!(
                    matches!(code.as_deref(), Some("23503" | "40P01")),
                    "{error}\n{sql}"
                );
                let _ = sqlx::raw_sql("ROLLBACK").execute(&mut connection).await;
            }
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_change_is_lost_when_workers_are_killed_two_hundred_times() {
    let (pool, model) = captured(60).await;
    let options = (*pool.connect_options()).clone();
    let over = Arc::new(AtomicBool::new(false));
    let done = Arc::new(AtomicU64::new(0));
    let writers: Vec<_> = (0..2)
        .map(|seed| {
            let (over, done) = (Arc::clone(&over), Arc::clone(&done));
            tokio::spawn(write(options.clone(), seed, over, done))
        })
        .collect();
    let mut random = StdRng::seed_from_u64(200);
    let killing = tokio::task::spawn_blocking(move || {
        let mut workers = [Worker::start(&options), Worker::start(&options)];
        for kill in 0..200 {
            std::thread::sleep(Duration::from_millis(random.random_range(0..30)));
            workers[kill % 2] = Worker::start(&options);
        }
    });
    killing.await.unwrap();
    over.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }
    let report = model.worker(&pool).drain().await.unwrap();
    assert_eq!((report.failed, report.dead), (0, 0), "{report}");
    let verified = model.verify(&pool).sample(1.0).await.unwrap();
    assert!(verified.is_clean(), "{verified}");
    assert!(done.load(Ordering::Relaxed) > 500, "too few statements");
    let changes = model.changes(&pool).await.unwrap();
    assert_eq!((changes.pending, changes.dead), (0, 0), "{changes}");
}
