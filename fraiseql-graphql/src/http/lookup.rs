//! Which document a request is for: a trusted one, one that was persisted, or its own text.

use std::sync::Arc;

use async_graphql::{Request, Response};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderValue, StatusCode};

use crate::http::automatic::{EXTENSION, PersistedQuery, not_found};
use crate::http::refusal::Refusal;
use crate::http::request::{Asked, missing_query};
use crate::http::settings::Settings;
use crate::http::trusted::id;
use crate::request::query::Query;

/// The document of a request.
pub(super) enum Found {
    /// A trusted document.
    Trusted(Arc<Query>),
    /// The text of the request.
    Text,
    /// The text of the request, to be kept by this hash once it was read.
    New(String),
    /// One that the extension `ApolloPersistedQueries` of the schema may have stored.
    StoredBySchema,
}

/// Why there is no document to execute.
pub(super) enum NotFound {
    Refused(Refusal),
    /// Unlike a refusal, its status depends on the media type.
    Unknown(Box<Response>),
}

impl From<Refusal> for NotFound {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Finds the document of a request. `is_read` is whether the method is GET or HEAD.
pub(super) fn find(
    asked: &mut Asked,
    settings: &Settings,
    is_read: bool,
) -> Result<Found, NotFound> {
    let request = &mut asked.request;
    if let Some(id) = &asked.document_id {
        return Ok(Found::Trusted(by_id(id, settings)?));
    }
    if let Some(found) = by_hash(request, settings)? {
        return Ok(found);
    }
    if settings.only_trusted {
        return Ok(Found::Trusted(by_text(&request.query, settings)?));
    }
    match request.query.is_empty() && request.extensions.contains_key(EXTENSION) {
        true if !is_read => Ok(Found::StoredBySchema),
        // Only the schema knows its text, which may be a mutation: a GET must not change anything.
        true if !asked.has_query => Err(missing_query().into()),
        _ => Ok(Found::Text),
    }
}

fn by_id(id: &str, settings: &Settings) -> Result<Arc<Query>, Refusal> {
    let found = settings.trusted.as_ref().and_then(|known| known.by_id(id));
    if let Some(query) = found {
        return Ok(Arc::clone(query));
    }
    let refusal = match id::check(id) {
        Ok(()) => Refusal::new(StatusCode::NOT_FOUND, "no document has this `documentId`")
            .code("DOCUMENT_NOT_FOUND"),
        Err(message) => Refusal::new(
            StatusCode::BAD_REQUEST,
            format!("the parameter `documentId`: {message}"),
        ),
    };
    Err(not_stored(refusal))
}

fn by_text(text: &str, settings: &Settings) -> Result<Arc<Query>, Refusal> {
    let known = settings.trusted.as_ref();
    let found = known.and_then(|known| known.by_text(text));
    found.map(Arc::clone).ok_or_else(|| {
        let message = "only trusted documents are executed; name one by its `documentId`";
        not_stored(Refusal::new(StatusCode::FORBIDDEN, message).code("ONLY_TRUSTED_DOCUMENTS"))
    })
}

/// The document of a request with the extension of persisted queries. `None` if it has none, or leaves it
/// to the schema.
fn by_hash(request: &mut Request, settings: &Settings) -> Result<Option<Found>, NotFound> {
    let Some(extension) = request.extensions.get(EXTENSION) else {
        return Ok(None);
    };
    // The schema may have the extension `ApolloPersistedQueries`.
    let is_of_endpoint = settings.automatic.is_some() || settings.only_trusted;
    let has_text = !request.query.is_empty();
    if !is_of_endpoint && (has_text || settings.trusted.is_none()) {
        return Ok(None);
    }
    let persisted = match PersistedQuery::read(extension) {
        Ok(persisted) => persisted,
        Err(_) if !is_of_endpoint => return Ok(None),
        Err(refusal) => return Err(refusal.into()),
    };
    let known = settings.trusted.as_ref();
    let trusted = known.and_then(|known| known.by_apollo_hash(&persisted.hash));
    let trusted = trusted.filter(|query| !has_text || *query.text == *request.query);
    let found = if let Some(query) = trusted {
        Found::Trusted(Arc::clone(query))
    } else if has_text {
        persisted.check(&request.query)?;
        match settings.only_trusted {
            true => Found::Trusted(by_text(&request.query, settings)?),
            false => Found::New(persisted.hash),
        }
    } else {
        let automatic = settings.automatic.as_ref();
        let automatic = automatic.filter(|_| !settings.only_trusted);
        match automatic.and_then(|queries| queries.get(&persisted.hash)) {
            Some(text) => request.query = text.to_string(),
            None if is_of_endpoint => return Err(NotFound::Unknown(Box::new(not_found()))),
            None => return Ok(None),
        }
        Found::Text
    };
    // The request is answered as one with the text would be, also directly.
    request.extensions.remove(EXTENSION);
    Ok(Some(found))
}

/// A refusal that no cache keeps: the document may be known soon. A cache may keep 404 for a while
/// otherwise.
fn not_stored(refusal: Refusal) -> Refusal {
    refusal.with_header(CACHE_CONTROL, HeaderValue::from_static("no-store"))
}
