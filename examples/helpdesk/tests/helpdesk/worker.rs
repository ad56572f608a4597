//! The worker as a process: killed and started again, while others write by plain SQL.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fraiseql_runtime::{SyncToken, TView as _};
use helpdesk::app::App;
use helpdesk::views::{OrgId, Ticket};
use sqlx::{AssertSqlSafe, ConnectOptions as _};

use crate::support::Service;

/// How long a worker has, on a machine that runs other tests.
const TIME: Duration = Duration::from_secs(60);

/// What a mail gateway, a console and a clean-up job might do, in all organizations. `{}` is a number that differs.
const WRITES: &str = "
    UPDATE tb_agent SET name = 'Robert {} of ' || org_id WHERE role = 'agent';
    UPDATE tb_customer SET name = name || '.' WHERE id % 2 = {} % 2;
    INSERT INTO tb_ticket (org_id, requester_id, subject, due_at)
        SELECT org_id, id, 'By mail {}', now() FROM tb_customer WHERE id % 5 = {} % 5;
    INSERT INTO tb_message (org_id, ticket_number, body) SELECT org_id, number, 'By mail {}' FROM tb_ticket;
    UPDATE tb_label SET name = 'label {} ' || id;
    UPDATE tb_ticket SET assignee_id = NULL, status = 'pending' WHERE number % 7 = {} % 7;
    DELETE FROM tb_ticket_label WHERE label_id % 4 = {} % 4;
    DELETE FROM tb_ticket WHERE number % 11 = {} % 11";

/// A worker, which is killed when it is dropped.
struct Worker(Child);

impl Worker {
    fn start(app: &App) -> Self {
        let url = app.pool.connect_options().to_url_lossy();
        let mut program = Command::new(env!("CARGO_BIN_EXE_helpdesk"));
        program.arg("worker").env("DATABASE_URL", url.as_str());
        program
            .env("RUST_LOG", "warn,sqlx=error")
            .stdin(Stdio::null());
        Self(program.spawn().unwrap())
    }

    /// SIGKILL.
    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Writes by plain SQL, in one transaction.
async fn write(app: &App, number: i32) -> SyncToken {
    let mut tx = app.pool.begin().await.unwrap();
    let sql = WRITES.replace("{}", &number.to_string());
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(&mut *tx)
        .await
        .unwrap();
    let token = SyncToken::current(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    token
}

async fn wait_synced(app: &App, token: SyncToken) {
    let wait = app.model.wait_synced(&app.pool, token).within(TIME);
    wait.await.unwrap();
}

#[tokio::test]
async fn documents_become_right_although_workers_are_killed() {
    let service = Service::start().await;
    let app = &service.app;
    for number in 1..=4 {
        let worker = Worker::start(app);
        wait_synced(app, write(app, 10 * number).await).await;
        // Killed while there is something to do. Some of it may be done.
        write(app, 10 * number + 1).await;
        worker.kill();
        write(app, 10 * number + 2).await;
    }
    // Nobody works.
    assert!(app.model.changes(&app.pool).await.unwrap().pending > 0);
    let worker = Worker::start(app);
    wait_synced(app, write(app, 100).await).await;
    service.assert_synced().await;
    worker.kill();
    assert_eq!(app.model.dead_letters(&app.pool).await.unwrap().len(), 0);
}

#[tokio::test]
async fn a_worker_that_is_killed_within_a_batch_leaves_it_to_the_next_one() {
    let service = Service::start().await;
    let app = &service.app;
    // The document is locked, so a batch that has it waits.
    let mut lock = app.pool.begin().await.unwrap();
    sqlx::query("SELECT FROM tv_ticket WHERE (org_id, number) = (1, 1) FOR UPDATE")
        .execute(&mut *lock)
        .await
        .unwrap();
    let worker = Worker::start(app);
    let mut tx = app.pool.begin().await.unwrap();
    sqlx::query("UPDATE tb_ticket SET subject = 'By hand' WHERE (org_id, number) = (1, 1)")
        .execute(&mut *tx)
        .await
        .unwrap();
    let token = SyncToken::current(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    let waits = "SELECT EXISTS (
        SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')";
    let found = tokio::time::timeout(TIME, async {
        while !service.value::<bool>(waits).await {
            tokio::task::yield_now().await;
        }
    });
    found.await.expect("the worker waits for the document");
    worker.kill();
    lock.commit().await.unwrap();

    let _next = Worker::start(app);
    wait_synced(app, token).await;
    let ticket = Ticket::of(OrgId(1))
        .find(&app.pool, (OrgId(1), 1))
        .await
        .unwrap();
    assert_eq!(ticket.unwrap().subject, "By hand");
    service.assert_synced().await;
}
