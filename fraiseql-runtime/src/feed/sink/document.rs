//! `Sink`: what writes to another system, and the documents that it is given.

use std::future::Future;

/// A copy of documents in another system.
pub trait Sink: Send {
    /// Why it cannot write.
    type Error: Into<Box<dyn std::error::Error + Send + Sync>>;

    /// Writes documents, and deletes those that are none any more. At most 500, each once.
    ///
    /// The same documents may come again. If the other system has one with a greater version, it keeps that.
    ///
    /// # Errors
    /// If it cannot. The same changes come again a while later, with the documents as they are then.
    fn write(
        &mut self,
        documents: &[SinkDocument],
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Removes the documents of a view whose version is less than this one: all that exist were written again since.
    ///
    /// `view` is its name, as in [`SinkDocument::view`].
    ///
    /// # Errors
    /// If it cannot. It is tried again.
    fn remove_older(
        &mut self,
        view: &'static str,
        version: u64,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

impl<S: Sink> Sink for &mut S {
    type Error = S::Error;

    async fn write(&mut self, documents: &[SinkDocument]) -> Result<(), Self::Error> {
        S::write(self, documents).await
    }

    async fn remove_older(&mut self, view: &'static str, version: u64) -> Result<(), Self::Error> {
        S::remove_older(self, view, version).await
    }
}

/// A document for a sink.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SinkDocument {
    /// The name of its view: `post`.
    pub view: &'static str,
    /// The key, as PostgreSQL prints it: `7`. One of several columns is a JSON array: `[1, "pen"]`.
    pub key: String,
    /// A number that grows with each batch of the sink.
    pub version: u64,
    /// The document as JSON, or `None` if there is none any more.
    pub json: Option<Vec<u8>>,
}

impl SinkDocument {
    /// The document as text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        // PostgreSQL sends UTF-8.
        std::str::from_utf8(self.json.as_deref()?).ok()
    }

    /// The document as a struct. `None` if there is none any more.
    ///
    /// # Errors
    /// If it is of another view.
    pub fn parse<T: serde::de::DeserializeOwned>(&self) -> serde_json::Result<Option<T>> {
        let json = self.json.as_deref();
        json.map(serde_json::from_slice).transpose()
    }
}
