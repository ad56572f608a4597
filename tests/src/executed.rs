//! Counts executions of a schema: a direct answer is none.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextExecute};
use async_graphql::{Response, async_trait};

/// An extension that counts executions.
#[derive(Clone, Debug, Default)]
pub struct Executed(Arc<AtomicUsize>);

impl Executed {
    /// The number of executions of all schemas with a clone of this.
    pub fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    /// The number of executions since the last call.
    pub fn take(&self) -> usize {
        self.0.swap(0, Ordering::SeqCst)
    }
}

impl ExtensionFactory for Executed {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(self.clone())
    }
}

#[async_trait::async_trait]
impl Extension for Executed {
    async fn execute(
        &self,
        ctx: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        self.0.fetch_add(1, Ordering::SeqCst);
        next.run(ctx, operation_name).await
    }
}
