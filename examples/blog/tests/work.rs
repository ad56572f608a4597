//! The counting of statements with the real sqlx, `tracing` and log filters.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use blog::work::{self, Work, WorkReport};
use dev_postgres::Server;
use sqlx::{Connection as _, PgConnection};
use tracing::Level;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

/// The output of the log.
#[derive(Clone, Default)]
struct LogOutput(Arc<Mutex<Vec<u8>>>);

impl Write for LogOutput {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl LogOutput {
    /// Whether the statement of [`run_statement`] was logged since the last call.
    fn has_statement(&self) -> bool {
        let text = String::from_utf8(std::mem::take(&mut self.0.lock().unwrap())).unwrap();
        text.contains("test statement")
    }
}

/// Subscribes as the program does, on this thread.
fn subscribe(filter: &str) -> (LogOutput, tracing::subscriber::DefaultGuard) {
    let output = LogOutput::default();
    let writer = output.clone();
    let print = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_writer(move || writer.clone());
    let filter = EnvFilter::new(filter);
    let count = work::layer(&filter);
    let subscriber = tracing_subscriber::registry()
        .with(print.with_filter(filter))
        .with(count);
    (output, tracing::subscriber::set_default(subscriber))
}

/// One test, on one thread: `tracing` caches for each callsite whether it is enabled, for all
/// threads, and while there is a single subscriber it asks only that one.
#[tokio::test]
async fn statements_are_counted_if_measured_and_printed_if_the_filter_enables_them() {
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
        let (output, _guard) = subscribe(filter);
        let ((), report) = Work::measure(run_statement(&mut connection)).await;
        assert_eq!(report.statements.count, 1, "{filter}");
        assert!(report.statements.duration > Duration::ZERO);
        assert_eq!(output.has_statement(), prints, "{filter}");

        // Without a measurement, sqlx formats statements only if the log prints them.
        run_statement(&mut connection).await;
        assert_eq!(output.has_statement(), prints, "{filter}");
        let is_formatted = tracing::enabled!(target: "sqlx::query", Level::DEBUG);
        assert_eq!(is_formatted, prints, "{filter}");
        let elsewhere = tracing::enabled!(target: "elsewhere", Level::DEBUG);
        assert_eq!(elsewhere, filter == "debug", "{filter}");

        let report = transactions(&mut connection).await;
        // BEGIN, SAVEPOINT, ROLLBACK TO, COMMIT; BEGIN, ROLLBACK.
        let counted = (report.statements.count, report.transaction.count);
        assert_eq!(counted, (2, 6), "{filter}");
        assert_eq!(output.has_statement(), prints, "{filter}");
    }

    // A filter with directives about spans still works.
    let (output, _guard) = subscribe("off,[here]=debug");
    let ((), report) = Work::measure(run_statement(&mut connection)).await;
    assert_eq!(
        (report.statements.count, output.has_statement()),
        (1, false)
    );
    {
        let _span = tracing::info_span!("here").entered();
        run_statement(&mut connection).await;
    }
    assert!(output.has_statement());
    connection.close().await.unwrap();
}

async fn run_statement(connection: &mut PgConnection) {
    sqlx::query("SELECT 1 -- test statement")
        .execute(connection)
        .await
        .unwrap();
}

/// A transaction that is committed, and one that is rolled back.
async fn transactions(connection: &mut PgConnection) -> WorkReport {
    let work = async {
        let mut tx = connection.begin().await.unwrap();
        run_statement(&mut tx).await;
        for savepoint in ["SAVEPOINT here", "ROLLBACK TO SAVEPOINT here"] {
            sqlx::raw_sql(savepoint).execute(&mut *tx).await.unwrap();
        }
        run_statement(&mut tx).await;
        tx.commit().await.unwrap();
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ";
        let tx = connection.begin_with(begin).await.unwrap();
        tx.rollback().await.unwrap();
    };
    Work::measure(work).await.1
}
