//! Records the tracing events of a sample.

use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

/// The events of the target `fraiseql::sync` on this thread, as their level and message.
#[derive(Debug)]
pub struct Trace {
    events: Arc<Mutex<Vec<String>>>,
    _guard: DefaultGuard,
}

impl Trace {
    /// Records until it is dropped. Only this thread, because other samples run at the same time.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        let events = Arc::new(Mutex::new(Vec::new()));
        let subscriber = tracing_subscriber::registry().with(Events(events.clone()));
        let guard = tracing::subscriber::set_default(subscriber);
        Self {
            events,
            _guard: guard,
        }
    }

    /// The events since the last call.
    pub fn events(&self) -> Vec<String> {
        std::mem::take(&mut self.events.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

struct Events(Arc<Mutex<Vec<String>>>);

impl<S: tracing::Subscriber> Layer<S> for Events {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "fraiseql::sync" {
            let mut message = Message(String::new());
            event.record(&mut message);
            let text = format!("{} {}", event.metadata().level(), message.0);
            self.0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(text);
        }
    }
}

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}
