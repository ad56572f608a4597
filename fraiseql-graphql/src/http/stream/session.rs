//! Who reads a stream: the values that the application's hooks have given, and whether they still give them.

use std::sync::Arc;

use async_graphql::Data;
use axum::http::request::Parts;
use tokio::time::Instant;

use crate::http::refusal::Refusal;
use crate::http::settings::{InsertData, Settings};

/// The reader of streams: an HTTP request, or a WebSocket with its first message.
pub(in crate::http) struct Session {
    settings: Arc<Settings>,
    parts: Parts,
    /// The payload of `connection_init`, if there is one.
    payload: Option<serde_json::Value>,
    inserts: Vec<InsertData>,
    asked: Instant,
}

impl Session {
    /// The reader that the hooks have accepted.
    pub(in crate::http) fn new(
        settings: Arc<Settings>,
        parts: Parts,
        inserts: Vec<InsertData>,
    ) -> Self {
        Self {
            settings,
            parts,
            payload: None,
            inserts,
            asked: Instant::now(),
        }
    }

    /// Adds what the hooks make of the first message of a WebSocket.
    #[cfg(feature = "websocket")]
    pub(super) async fn connect(&mut self, payload: serde_json::Value) -> Result<(), Refusal> {
        let inserts = of_connection(&self.settings, &payload, &self.parts).await?;
        self.inserts.extend(inserts);
        self.payload = Some(payload);
        Ok(())
    }

    /// The data of a request.
    pub(super) fn data(&self) -> Data {
        let mut data = Data::default();
        for insert in &self.inserts {
            insert(&mut data);
        }
        data
    }

    /// Asks the hooks again, if they were not asked for a while.
    pub(super) async fn check(&mut self) -> Result<(), Refusal> {
        let Some(every) = self.settings.recheck else {
            return Ok(());
        };
        if self.asked.elapsed() < every {
            return Ok(());
        }
        of_request(&self.settings, &self.parts).await?;
        if let Some(payload) = &self.payload {
            of_connection(&self.settings, payload, &self.parts).await?;
        }
        self.asked = Instant::now();
        Ok(())
    }
}

/// What the hooks make of a request.
pub(in crate::http) async fn of_request(
    settings: &Settings,
    parts: &Parts,
) -> Result<Vec<InsertData>, Refusal> {
    let mut inserts = Vec::with_capacity(settings.data.len());
    for hook in &settings.data {
        inserts.push(hook(parts).await?);
    }
    Ok(inserts)
}

async fn of_connection(
    settings: &Settings,
    payload: &serde_json::Value,
    parts: &Parts,
) -> Result<Vec<InsertData>, Refusal> {
    let mut inserts = Vec::with_capacity(settings.connection_data.len());
    for hook in &settings.connection_data {
        inserts.push(hook(payload, parts).await?);
    }
    Ok(inserts)
}
