//! What a thread traces, kept as text.

use std::cell::RefCell;
use std::fmt::{Debug, Write as _};
use std::sync::Once;

use tracing_subscriber::layer::{Context, SubscriberExt as _};

thread_local! {
    /// The target that this thread asked for, and its events.
    static ASKED: RefCell<Option<(&'static str, Vec<String>)>> = const { RefCell::new(None) };
}

/// The subscriber of the process: what callsites cache is right for one only, or for none. Other
/// tests run on other threads, where nothing is kept.
struct Keeper;

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Keeper {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        struct Fields(String);
        impl tracing::field::Visit for Fields {
            fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn Debug) {
                write!(self.0, " {}={value:?}", field.name()).unwrap();
            }
        }
        ASKED.with_borrow_mut(|asked| {
            if let Some((target, events)) = asked
                && *target == event.metadata().target()
            {
                let mut fields = Fields(event.metadata().level().to_string());
                event.record(&mut fields);
                events.push(fields.0);
            }
        });
    }
}

/// What this thread traces under a target, from now on until it is dropped.
pub(crate) struct Traced(&'static str);

impl Traced {
    pub(crate) fn start(target: &'static str) -> Self {
        static INSTALL: Once = Once::new();
        INSTALL.call_once(|| {
            let subscriber = tracing_subscriber::registry().with(Keeper);
            tracing::subscriber::set_global_default(subscriber).unwrap();
        });
        ASKED.set(Some((target, Vec::new())));
        Self(target)
    }

    /// The events since it was last asked: the level, and the fields as they come.
    pub(crate) fn take(&self) -> Vec<String> {
        let asked = ASKED.replace(Some((self.0, Vec::new())));
        asked.unwrap().1
    }
}

impl Drop for Traced {
    fn drop(&mut self) {
        ASKED.set(None);
    }
}
