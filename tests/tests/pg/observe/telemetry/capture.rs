//! Records the events of a thread with the target `fraiseql::sync`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Once;

/// Records events with the target `fraiseql::sync` as text, on threads that started a capture:
/// level, spans, fields.
struct RecordingLayer;

thread_local! {
    /// `None` on threads without a capture.
    static EVENTS: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

struct Fields(BTreeMap<&'static str, String>);

impl tracing::field::Visit for Fields {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

impl Fields {
    fn text(mut self) -> String {
        let mut text = self.0.remove("message").unwrap_or_default();
        for (name, value) in self.0 {
            if name != "duration_ms" {
                write!(text, " {name}={value}").unwrap();
            }
        }
        text
    }
}

impl<S> tracing_subscriber::Layer<S> for RecordingLayer
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    fn on_new_span(
        &self,
        attributes: &tracing::span::Attributes<'_>,
        id: &tracing::Id,
        context: tracing_subscriber::layer::Context<'_, S>,
    ) {
        let mut fields = Fields(BTreeMap::new());
        attributes.record(&mut fields);
        let span = context.span(id).unwrap();
        let text = format!("{}{{{}}}", span.name(), fields.text().trim());
        span.extensions_mut().insert(text);
    }

    fn on_event(
        &self,
        event: &tracing::Event<'_>,
        context: tracing_subscriber::layer::Context<'_, S>,
    ) {
        let metadata = event.metadata();
        if metadata.target() != "fraiseql::sync" || EVENTS.with_borrow(Option::is_none) {
            return;
        }
        let mut fields = Fields(BTreeMap::new());
        event.record(&mut fields);
        let spans: Vec<String> = context
            .event_scope(event)
            .into_iter()
            .flatten()
            .map(|span| {
                span.extensions()
                    .get::<String>()
                    .cloned()
                    .unwrap_or_default()
            })
            .collect();
        let text = format!(
            "{} {}: {}",
            metadata.level(),
            spans.join(" "),
            fields.text()
        );
        EVENTS.with_borrow_mut(|events| events.as_mut().unwrap().push(text));
    }
}

/// The events of this thread, until it is dropped.
pub(super) struct Capture;

impl Capture {
    /// Starts to record.
    pub(super) fn start() -> Self {
        // One subscriber for the process, because callsites cache their interest. Tests on other
        // threads record nothing.
        static INSTALL: Once = Once::new();
        INSTALL.call_once(|| {
            use tracing_subscriber::layer::SubscriberExt as _;
            let subscriber = tracing_subscriber::registry().with(RecordingLayer);
            tracing::subscriber::set_global_default(subscriber).unwrap();
        });
        EVENTS.set(Some(Vec::new()));
        Self
    }

    pub(super) fn take(&self) -> Vec<String> {
        EVENTS.replace(Some(Vec::new())).unwrap()
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        EVENTS.set(None);
    }
}
