//! A stream that a task of its own drives.
//!
//! A stream that reads a document holds a connection of the pool meanwhile. Polled by the connection of a client, it would
//! hold it for as long as the client reads nothing. In a task, it goes on until its element is there, and only then waits for
//! the client.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::stream::{BoxStream, Stream, StreamExt as _};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// The elements of a stream that a task drives, until this is dropped.
pub(super) struct Driven<T> {
    elements: mpsc::Receiver<T>,
    task: JoinHandle<()>,
}

/// Drives a stream. One element waits to be taken, and one to be handed over.
pub(super) fn driven<T: Send + 'static>(mut stream: BoxStream<'static, T>) -> Driven<T> {
    let (hand_over, elements) = mpsc::channel(1);
    let task = tokio::spawn(async move {
        while let Some(element) = stream.next().await {
            if hand_over.send(element).await.is_err() {
                return;
            }
        }
    });
    Driven { elements, task }
}

impl<T> Stream for Driven<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        self.elements.poll_recv(context)
    }
}

impl<T> Drop for Driven<T> {
    fn drop(&mut self) {
        self.task.abort();
    }
}
