//! What a request's statements are counted from: sqlx, `tracing` and the filter of the log together.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use blog::work::{self, Done, Work};
use dev_postgres::Server;
use sqlx::{Connection as _, PgConnection};
use tracing::Level;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

/// What the log has printed.
#[derive(Clone, Default)]
struct Printed(Arc<Mutex<Vec<u8>>>);

impl Write for Printed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Printed {
    /// Whether it has the statement of [`one`].
    fn has_statement(&self) -> bool {
        let printed = String::from_utf8(std::mem::take(&mut self.0.lock().unwrap())).unwrap();
        printed.contains("it runs")
    }
}

/// Subscribes as the program does, on this thread.
fn subscribe(filter: &str) -> (Printed, tracing::subscriber::DefaultGuard) {
    let printed = Printed::default();
    let writer = printed.clone();
    let print = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_writer(move || writer.clone());
    let filter = EnvFilter::new(filter);
    let count = work::layer(&filter);
    let subscriber = tracing_subscriber::registry()
        .with(print.with_filter(filter))
        .with(count);
    (printed, tracing::subscriber::set_default(subscriber))
}

/// All in one, on one thread: while there is a single subscriber, `tracing` takes a thread without
/// one for everybody.
#[tokio::test]
async fn statements_are_counted_where_somebody_asks_and_printed_where_the_log_says() {
    let server = Server::shared().unwrap();
    let database = server.create_database().await.unwrap();
    let mut connection = PgConnection::connect_with(&database).await.unwrap();
    let filters = [
        ("info,sqlx=warn", false),
        ("warn", false),
        ("info,sqlx=debug", true),
        ("off,sqlx::query=debug", true),
        ("debug", true),
    ];
    for (filter, prints) in filters {
        let (printed, _guard) = subscribe(filter);
        let ((), done) = Work::of(one(&mut connection)).await;
        assert_eq!(done.statements.times, 1, "{filter}");
        assert!(done.statements.duration > Duration::ZERO);
        assert_eq!(printed.has_statement(), prints, "{filter}");

        // Somebody else pays for what the log prints.
        one(&mut connection).await;
        assert_eq!(printed.has_statement(), prints, "{filter}");
        let written_down = tracing::enabled!(target: "sqlx::query", Level::DEBUG);
        assert_eq!(written_down, prints, "{filter}");
        let elsewhere = tracing::enabled!(target: "elsewhere", Level::DEBUG);
        assert_eq!(elsewhere, filter == "debug", "{filter}");
        assert!(Work::current().is_none());

        let done = transactions(&mut connection).await;
        // BEGIN, SAVEPOINT, ROLLBACK TO, COMMIT; BEGIN, ROLLBACK.
        let counted = (done.statements.times, done.transaction.times);
        assert_eq!(counted, (2, 6), "{filter}");
        assert_eq!(printed.has_statement(), prints, "{filter}");
    }

    // A log that looks at spans prints in them.
    let (printed, _guard) = subscribe("off,[here]=debug");
    let ((), done) = Work::of(one(&mut connection)).await;
    assert_eq!((done.statements.times, printed.has_statement()), (1, false));
    {
        let _span = tracing::info_span!("here").entered();
        one(&mut connection).await;
    }
    assert!(printed.has_statement());
    connection.close().await.unwrap();
}

async fn one(connection: &mut PgConnection) {
    sqlx::query("SELECT 1 -- it runs")
        .execute(connection)
        .await
        .unwrap();
}

/// One that is committed, and one that is rolled back.
async fn transactions(connection: &mut PgConnection) -> Done {
    let work = async {
        let mut tx = connection.begin().await.unwrap();
        one(&mut tx).await;
        for savepoint in ["SAVEPOINT here", "ROLLBACK TO SAVEPOINT here"] {
            sqlx::raw_sql(savepoint).execute(&mut *tx).await.unwrap();
        }
        one(&mut tx).await;
        tx.commit().await.unwrap();
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ";
        let tx = connection.begin_with(begin).await.unwrap();
        tx.rollback().await.unwrap();
    };
    Work::of(work).await.1
}
