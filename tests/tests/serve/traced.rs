//! Records the tracing events of a thread as text.

use std::cell::RefCell;
use std::fmt::{Debug, Write as _};
use std::sync::Once;

use tracing_subscriber::layer::{Context, SubscriberExt as _};

thread_local! {
    /// The target that this thread records, and its events.
    static RECORDED: RefCell<Option<(&'static str, Vec<String>)>> = const { RefCell::new(None) };
}

/// The subscriber of the process: callsites cache their interest for all subscribers. Tests on
/// other threads record nothing.
struct RecordingLayer;

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for RecordingLayer {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        struct Fields(String);
        impl tracing::field::Visit for Fields {
            fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn Debug) {
                write!(self.0, " {}={value:?}", field.name()).unwrap();
            }
        }
        RECORDED.with_borrow_mut(|recorded| {
            if let Some((target, events)) = recorded
                && *target == event.metadata().target()
            {
                let mut fields = Fields(event.metadata().level().to_string());
                event.record(&mut fields);
                events.push(fields.0);
            }
        });
    }
}

/// Records this thread's events of a target from now on, until it is dropped.
pub(crate) struct Traced(&'static str);

impl Traced {
    pub(crate) fn start(target: &'static str) -> Self {
        static INSTALL: Once = Once::new();
        INSTALL.call_once(|| {
            let subscriber = tracing_subscriber::registry().with(RecordingLayer);
            tracing::subscriber::set_global_default(subscriber).unwrap();
        });
        RECORDED.set(Some((target, Vec::new())));
        Self(target)
    }

    /// The events since the last call: the level, and the fields in their order.
    pub(crate) fn take(&self) -> Vec<String> {
        let recorded = RECORDED.replace(Some((self.0, Vec::new())));
        recorded.unwrap().1
    }
}

impl Drop for Traced {
    fn drop(&mut self) {
        RECORDED.set(None);
    }
}
