//! The worker of this process: it syncs the documents of rows that psql and other programs change, and of
//! likes.

use anyhow::Result;
use fraiseql_runtime::ReadModel;
use fraiseql_runtime::worker::{Worker, WorkerHealth};
use sqlx::PgPool;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A worker that runs beside the server.
#[derive(Debug)]
pub struct RunningWorker {
    worker: Worker,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl RunningWorker {
    /// Starts a worker. Without capture it has the likes to do.
    #[must_use]
    pub fn start(blog: &ReadModel, pool: &PgPool) -> Self {
        let worker = blog.worker(pool);
        let (stop, stopped) = oneshot::channel();
        let run = worker.clone().run(async { drop(stopped.await) });
        let task = tokio::spawn(async move {
            match run.await {
                Ok(report) => tracing::info!("the worker has stopped: {report}"),
                // What is left is not lost: a worker of another process syncs it, or that of the next start.
                Err(error) => tracing::error!(%error, "the worker has stopped"),
            }
        });
        Self { worker, stop, task }
    }

    /// Whether it is alive, and how far it is behind.
    #[must_use]
    pub fn health(&self) -> WorkerHealth {
        self.worker.health()
    }

    /// Stops it, after what was committed before the call is synced.
    ///
    /// # Errors
    /// If the task has panicked.
    pub async fn stop(self) -> Result<()> {
        let _ = self.stop.send(());
        self.task.await?;
        match self.worker.drain().await {
            Ok(report) => tracing::info!("{report}"),
            Err(error) => tracing::warn!(%error, "what is left is synced after the next start"),
        }
        Ok(())
    }
}
