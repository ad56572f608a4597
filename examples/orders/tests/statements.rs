//! The statements that a command sends, as the README says. It is a binary of its own because other tests
//! run without a subscriber, and `tracing` decides once for each place whether it is of interest.

#[path = "orders/support.rs"]
mod support;

use std::fmt;
use std::sync::{Arc, Mutex};

use orders::commands::{self, Call, NewItem};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt as _};

use support::{ADA, BOOK, PEN, Service};

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

impl Statements {
    /// The statements, without those that end the empty transaction after a commit, for which no command
    /// waits.
    fn take(&self) -> Vec<String> {
        let mut statements = std::mem::take(&mut *self.0.lock().unwrap());
        statements.retain(|statement| statement != "COMMIT");
        statements
    }
}

#[tokio::test]
async fn a_command_is_four_statements() {
    // Without the worker, whose statements are not those of a command.
    let (app, _) = Service::start().await.without_worker(1).await;
    let items = [PEN, BOOK].map(|product_id| NewItem {
        product_id,
        quantity: 1,
    });
    // Prepares its statements.
    commands::create_order(&app, ADA, &items, "ada")
        .await
        .unwrap();

    let statements = Statements::default();
    let subscriber = tracing_subscriber::registry().with(statements.clone());
    let _guard = tracing::subscriber::set_default(subscriber);
    let order = commands::create_order(&app, ADA, &items, "ada")
        .await
        .unwrap();
    // And the BEGIN, which sqlx does not report.
    let [command, flush, commit] = statements.take().try_into().unwrap();
    assert_eq!(command, "SELECT fn_create_order($1, $2, $3)");
    assert!(
        flush.starts_with("SET CONSTRAINTS ALL IMMEDIATE;"),
        "{flush}"
    );
    // With the position after it, in one message.
    assert!(commit.starts_with("COMMIT AND CHAIN"), "{commit}");

    let call = Call {
        who: "ada",
        expected_version: Some(1),
    };
    commands::cancel_order(&app, order, call).await.unwrap();
    assert_eq!(statements.take().len(), 3);
}
