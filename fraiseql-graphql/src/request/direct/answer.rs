//! Answers a request by a plan.

use std::sync::Arc;

use async_graphql::parser::types::OperationDefinition;
use async_graphql::{CacheControl, Variables};
use fraiseql_runtime::__graphql::Written;
use fraiseql_runtime::list::Documents;
use fraiseql_runtime::select::Projection;
use futures_util::future::join_all;

use crate::budget::Budget;
use crate::request::direct::arguments::BoundArguments;
use crate::request::direct::plan::{CachedPlan, Found, RequestParts};
use crate::response::MAX_RESERVED_BYTES;

/// A direct answer.
pub(crate) struct DirectAnswer {
    pub(crate) body: Vec<u8>,
    /// How long it may be cached.
    pub(crate) cache: CacheControl,
}

impl CachedPlan {
    /// Reads the documents of a request with these variables, which are [coerced](Self::coerced), and
    /// writes its response. None if there may be an error: the request is then to be executed by the
    /// schema, which reports it with its path.
    pub(crate) async fn answer(
        &self,
        operation: &OperationDefinition,
        variables: &Variables,
        request: RequestParts<'_>,
    ) -> Option<DirectAnswer> {
        if !self.is_allowed(variables) || self.has_wrong_null(operation, variables) {
            return None;
        }
        // Like the schema, which resolves root fields concurrently.
        let found = self.fields.iter().map(|field| {
            let arguments = BoundArguments::new(&field.field, variables);
            field.recorded.read.read(arguments, request)
        });
        let found: Vec<Found> = join_all(found).await.into_iter().collect::<Option<_>>()?;
        let size = found.iter().map(Found::size).sum::<usize>();
        let mut writer = Writer {
            out: Vec::with_capacity(64 + size.min(MAX_RESERVED_BYTES)),
            budget: request.budget,
        };
        // The layout is that of `write_response`.
        let mut before: &[u8] = b"{\"data\":{\"";
        for (field, found) in self.fields.iter().zip(&found) {
            writer.out.extend_from_slice(before);
            // A response key is a GraphQL name, which needs no escaping.
            writer.out.extend_from_slice(field.key.as_bytes());
            writer.out.extend_from_slice(b"\":");
            writer.found(&field.recorded.projection, found)?;
            before = b",\"";
        }
        writer.out.extend_from_slice(b"}}");
        Some(DirectAnswer {
            body: writer.out,
            cache: self.cache,
        })
    }
}

impl Found {
    /// The bytes of what was read.
    fn size(&self) -> usize {
        match self {
            Self::One(documents) | Self::List(documents) => {
                documents.iter().map(|document| document.json().len()).sum()
            }
            Self::Connection(json) => json.len(),
        }
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
            Found::One(documents) => match documents.iter().next() {
                Some(document) => self.document(projection, document.json())?,
                // A document whose row is gone from the base table is missing in `documents`.
                None => self.out.extend_from_slice(b"null"),
            },
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
