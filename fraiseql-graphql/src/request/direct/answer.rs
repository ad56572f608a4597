//! Answers a request by a plan.

use std::sync::Arc;

use async_graphql::{CacheControl, Variables};
use axum::body::Bytes;
use fraiseql_runtime::__graphql::{DocumentUnless, Scope, Written};
use fraiseql_runtime::list::Documents;
use fraiseql_runtime::read::ETag;
use fraiseql_runtime::select::Projection;
use futures_util::future::join_all;

use crate::budget::Budget;
use crate::request::direct::arguments::BoundArguments;
use crate::request::direct::plan::{Asked, CachedPlan, Found, RequestParts};
use crate::response::{MAX_RESERVED_BYTES, into_bytes};

/// A direct answer.
#[derive(Clone)]
pub(crate) struct DirectAnswer {
    /// None if the client has it: its tag is one of those that the client has sent.
    pub(crate) body: Option<Bytes>,
    /// Its tag, if the request is conditional and all of its documents have versions.
    pub(crate) tag: Option<ETag>,
    /// How long it may be cached.
    pub(crate) cache: CacheControl,
}

impl CachedPlan {
    /// Reads the documents of a request with these variables, which are [coerced](Self::coerced), and
    /// writes its response. None if there may be an error: the request is then to be executed by the
    /// schema, which reports it with its path.
    pub(crate) async fn answer(
        &self,
        asked: Asked<'_>,
        variables: &Variables,
        request: RequestParts<'_>,
    ) -> Option<DirectAnswer> {
        if !self.is_allowed(variables) || self.has_wrong_null(asked.operation, variables) {
            return None;
        }
        let fields = self.fields.iter();
        let scopes = fields.map(|field| field.recorded.read.scope(request.data));
        let scopes: Vec<Scope> = scopes.collect::<Option<_>>()?;
        let tagged = request.conditional.and_then(|conditional| {
            let media_type = conditional.media_type;
            let prefix = self.tag_prefix(asked, variables, &scopes, media_type)?;
            Some((prefix, &conditional.held))
        });
        let Some((prefix, held)) = tagged else {
            return self.answer_once(variables, &scopes, request).await;
        };
        let versions = prefix.versions(held, self.fields.len());
        let found = self
            .read(variables, &scopes, request, Some(versions))
            .await?;
        let tag = prefix.tag(&found);
        if tag.as_ref().is_some_and(|tag| held.matches(tag)) {
            return Some(DirectAnswer {
                body: None,
                tag,
                cache: self.cache,
            });
        }
        if !found.iter().any(Found::is_held) {
            return self.written(&found, tag, request);
        }
        // The client has some of the documents, and not the others.
        let none = vec![Vec::new(); self.fields.len()];
        let found = self.read(variables, &scopes, request, Some(none)).await?;
        self.written(&found, prefix.tag(&found), request)
    }

    /// Reads all root fields. `held` are the versions that the client has of the document of each, if versions are
    /// needed.
    pub(super) async fn read(
        &self,
        variables: &Variables,
        scopes: &[Scope],
        request: RequestParts<'_>,
        held: Option<Vec<Vec<String>>>,
    ) -> Option<Vec<Found>> {
        let mut held = held.map(Vec::into_iter);
        // Like the schema, which resolves root fields concurrently.
        let found = self.fields.iter().zip(scopes).map(|(field, scope)| {
            let arguments = BoundArguments::new(&field.field, variables);
            let held = held.as_mut().and_then(Iterator::next);
            let read = &field.recorded.read;
            read.read(arguments, scope.clone(), request, held)
        });
        join_all(found).await.into_iter().collect()
    }

    pub(super) fn written(
        &self,
        found: &[Found],
        tag: Option<ETag>,
        request: RequestParts<'_>,
    ) -> Option<DirectAnswer> {
        let size = found.iter().map(Found::size).sum::<usize>();
        let mut writer = Writer {
            out: Vec::with_capacity(64 + size.min(MAX_RESERVED_BYTES)),
            budget: request.budget,
        };
        // The layout is that of `write_response`.
        let mut before: &[u8] = b"{\"data\":{\"";
        for (field, found) in self.fields.iter().zip(found) {
            writer.out.extend_from_slice(before);
            // A response key is a GraphQL name, which needs no escaping.
            writer.out.extend_from_slice(field.key.as_bytes());
            writer.out.extend_from_slice(b"\":");
            writer.found(&field.recorded.projection, found)?;
            before = b",\"";
        }
        writer.out.extend_from_slice(b"}}");
        Some(DirectAnswer {
            body: Some(into_bytes(writer.out)),
            tag,
            cache: self.cache,
        })
    }
}

impl Found {
    /// The bytes of what was read.
    fn size(&self) -> usize {
        match self {
            Self::One(DocumentUnless::Document { document, .. }) => document.json().len(),
            Self::One(DocumentUnless::Missing | DocumentUnless::Unchanged(_)) => 0,
            Self::List(documents) => documents.iter().map(|document| document.json().len()).sum(),
            Self::Connection(json) => json.len(),
        }
    }

    /// Whether the document was not read, since the client has it.
    fn is_held(&self) -> bool {
        matches!(self, Self::One(DocumentUnless::Unchanged(_)))
    }
}

struct Writer<'a> {
    out: Vec<u8>,
    budget: &'a Arc<Budget>,
}

impl Writer<'_> {
    /// Writes the value of a field. None if there is an error, of which what was written is no part: only
    /// the schema reports it with its path.
    fn found(&mut self, projection: &Projection, found: &Found) -> Option<()> {
        match found {
            Found::One(DocumentUnless::Document { document, .. }) => {
                self.document(projection, document.json())?;
            }
            Found::One(DocumentUnless::Missing) => self.out.extend_from_slice(b"null"),
            Found::One(DocumentUnless::Unchanged(_)) => return None,
            Found::List(documents) => self.list(projection, documents)?,
            Found::Connection(json) => self.document(projection, json)?,
        }
        Some(())
    }

    fn list(&mut self, projection: &Projection, documents: &Documents) -> Option<()> {
        self.out.push(b'[');
        for (index, document) in documents.iter().enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            self.document(projection, document.json())?;
        }
        self.out.push(b']');
        Some(())
    }

    fn document(&mut self, projection: &Projection, json: &[u8]) -> Option<()> {
        let mut errors = Vec::new();
        let before = self.out.len();
        let max_len = before.saturating_add(self.budget.left());
        let written = projection.write_within(json, &mut self.out, &mut errors, max_len);
        if written == Written::TooLong {
            self.budget.refuse();
        }
        (self.budget.write(self.out.len() - before) && errors.is_empty()).then_some(())
    }
}
