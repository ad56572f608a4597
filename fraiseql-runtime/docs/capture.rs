// What the guide to operations has in hidden lines: a list of what was traced.
struct Capture;

static EVENTS: std::sync::Mutex<Vec<String>> = std::sync::Mutex::new(Vec::new());

impl Capture {
    fn install() -> Self {
        use tracing_subscriber::layer::SubscriberExt as _;
        let subscriber = tracing_subscriber::registry().with(Self);
        tracing::subscriber::set_global_default(subscriber).unwrap();
        Self
    }

    fn events(&self) -> Vec<String> {
        std::mem::take(&mut EVENTS.lock().unwrap())
    }
}

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Capture {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        struct Message(String);
        impl tracing::field::Visit for Message {
            fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
                if field.name() == "message" {
                    self.0 = format!("{value:?}");
                }
            }
        }
        if event.metadata().target() == "fraiseql::sync" {
            let mut message = Message(String::new());
            event.record(&mut message);
            let text = format!("{} {}", event.metadata().level(), message.0);
            EVENTS.lock().unwrap().push(text);
        }
    }
}
