//! The statements of a command, as the README says. It is a binary of its own because other tests run without a
//! subscriber, and `tracing` decides once for each place whether it is of interest.

#[path = "helpdesk/support.rs"]
mod support;

use std::fmt;
use std::sync::{Arc, Mutex};

use fraiseql_runtime::TView as _;
use helpdesk::app::App;
use helpdesk::commands;
use helpdesk::session::Session;
use helpdesk::views::{OrgId, Role, Ticket};
use sqlx::postgres::PgPoolOptions;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt as _};

use support::Service;

/// A layer that keeps the beginnings of the statements that sqlx reports.
#[derive(Clone, Default)]
struct Statements(Arc<Mutex<Vec<String>>>);

impl<S: Subscriber> Layer<S> for Statements {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "sqlx::query" {
            event.record(&mut Summary(&self.0));
        }
    }
}

struct Summary<'s>(&'s Mutex<Vec<String>>);

impl Visit for Summary<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "summary" {
            self.0.lock().unwrap().push(value.to_owned());
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

#[tokio::test]
async fn a_message_is_four_statements() {
    let Service { app, .. } = Service::start().await;
    let options = (*app.pool.connect_options()).clone();
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .connect_with(options);
    let app = App {
        pool: pool.await.unwrap(),
        ..app
    };
    let bob = Session {
        org: OrgId(1),
        agent: 2,
        role: Role::Agent,
    };
    // Prepares its statements.
    commands::add_message(&app, bob, 1, "Try the switch.")
        .await
        .unwrap();

    let statements = Statements::default();
    let subscriber = tracing_subscriber::registry().with(statements.clone());
    let guard = tracing::subscriber::set_default(subscriber);
    commands::add_message(&app, bob, 1, "Try the switch.")
        .await
        .unwrap();
    drop(guard);
    let mut sent = statements.0.lock().unwrap().clone();
    // That of the empty transaction after a commit, for which no command waits.
    sent.retain(|statement| statement != "COMMIT");
    println!("{sent:#?}");
    // And the BEGIN, which sqlx does not report.
    let [insert, flush, commit] = sent.try_into().unwrap();
    assert!(insert.starts_with("INSERT INTO tb_message"), "{insert}");
    assert!(
        flush.starts_with("SET CONSTRAINTS ALL IMMEDIATE;"),
        "{flush}"
    );
    assert!(commit.starts_with("COMMIT AND CHAIN"), "{commit}");
    let ticket = Ticket::of(OrgId(1))
        .find(&app.pool, (OrgId(1), 1))
        .await
        .unwrap();
    assert_eq!(ticket.unwrap().message_count, 4);
}
