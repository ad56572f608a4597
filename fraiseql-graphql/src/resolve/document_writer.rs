//! The value of a field that consists of documents: the selected fields, written as bytes.

use std::sync::Arc;

use async_graphql::parser::types::SelectionSet;
use async_graphql::{ContextSelectionSet, PathSegment, ServerError, ServerResult, Value};

use crate::budget::Budget;
use crate::request::context::CachedQuery;
use crate::resolve::own_fields;
use crate::resolve::requested_fields::RequestedFields;
use crate::response::{ErrorPath, MAX_RESERVED_BYTES, raw};
use fraiseql_runtime::__graphql::{BigInts, Written};
use fraiseql_runtime::schema::Shape;
use fraiseql_runtime::select::{Projection, ProjectionError, Segment};

/// Writes the value of one field. Errors within documents go to the context, with their paths.
///
/// No resolver runs for a field of a document, so null bubbling happens here and in the projection:
/// if a value is null but its type is not nullable, the nearest nullable object around it becomes
/// null. The projection does that inside a document. If it reaches the document itself, the methods
/// return an error, and the caller passes it on: async-graphql then makes null of the field, or of
/// what is around it.
pub(crate) struct DocumentWriter<'a> {
    ctx: &'a ContextSelectionSet<'a>,
    shape: &'static Shape,
    projection: Projection,
    sets: Vec<&'a SelectionSet>,
    has_own_fields: bool,
    as_values: bool,
    budget: Option<Arc<Budget>>,
    out: Vec<u8>,
}

impl<'a> DocumentWriter<'a> {
    /// Compiles the selection of the field, or takes its projection from the cached query.
    pub(crate) fn of(
        ctx: &'a ContextSelectionSet<'a>,
        shape: &'static Shape,
    ) -> ServerResult<Self> {
        let requested = RequestedFields::of(ctx, shape);
        let selection = &requested.selection;
        let big_ints = ctx.data_opt::<BigInts>().copied().unwrap_or_default();
        let projection = match ctx.data_opt::<CachedQuery>() {
            Some(CachedQuery(query)) => query.projection(shape, selection, big_ints),
            None => Projection::of_request(shape, selection, big_ints),
        };
        let projection =
            projection.map_err(|error| ServerError::new(error.to_string(), Some(ctx.item.pos)))?;
        Ok(Self {
            ctx,
            shape,
            projection,
            sets: requested.sets,
            has_own_fields: requested.has_own_fields,
            as_values: requested.as_values || requested.has_own_fields,
            budget: Budget::of(ctx),
            out: Vec::new(),
        })
    }

    /// A writer of the same fields, for one document of a list whose documents are values of their own.
    pub(crate) fn at<'b>(&self, ctx: &'b ContextSelectionSet<'b>) -> DocumentWriter<'b>
    where
        'a: 'b,
    {
        DocumentWriter {
            ctx,
            shape: self.shape,
            projection: self.projection.clone(),
            sets: self.sets.clone(),
            has_own_fields: self.has_own_fields,
            as_values: self.as_values,
            budget: self.budget.clone(),
            out: Vec::new(),
        }
    }

    /// The budget of the request.
    pub(crate) fn budget(&self) -> Option<&Arc<Budget>> {
        self.budget.as_ref()
    }

    /// Holds bytes beside the documents that were read and the value that is written.
    ///
    /// # Errors
    /// If the server holds too many.
    pub(crate) fn hold(&self, bytes: usize) -> ServerResult<()> {
        match &self.budget {
            Some(budget) if !budget.hold(bytes) => Err(budget.error(self.ctx.item.pos)),
            _ => Ok(()),
        }
    }

    /// An error of the field.
    pub(crate) fn error(&self, message: &str) -> ServerError {
        let error = ServerError::new(message, Some(self.ctx.item.pos));
        self.ctx.set_error_path(error)
    }

    pub(crate) fn projection(&self) -> &Projection {
        &self.projection
    }

    /// Whether fields of the application are selected.
    pub(crate) const fn has_own_fields(&self) -> bool {
        self.has_own_fields
    }

    /// Whether the value will be a tree of values. Otherwise it is bytes.
    pub(crate) const fn as_values(&self) -> bool {
        self.as_values
    }

    /// Writes the selected fields of a document, which is at `index` if it is an item of a list.
    ///
    /// # Errors
    /// If the document is null as a whole, because of a value in it that cannot be null; or if the
    /// response is too large.
    pub(crate) fn document(&mut self, json: &[u8], index: Option<usize>) -> ServerResult<()> {
        let mut errors = Vec::new();
        let before = self.out.len();
        let left = self.budget.as_ref().map_or(usize::MAX, |it| it.left());
        let written = self.projection.write_within(
            json,
            &mut self.out,
            &mut errors,
            before.saturating_add(left),
        );
        if let Some(budget) = &self.budget {
            if written == Written::TooLong {
                budget.refuse();
            }
            if !budget.write(self.out.len() - before) {
                return Err(budget.error(self.ctx.item.pos));
            }
        }
        if errors.is_empty() {
            return Ok(());
        }
        let mut errors = errors.iter().map(|error| self.located(error, index));
        if written == Written::Fields {
            // The document has null in place of what failed.
            errors.for_each(|error| self.ctx.add_error(error));
            return Ok(());
        }
        // The last error is the one that made the document null. It is returned, so that the caller
        // propagates it; those before it are reported beside it.
        let last = errors.next_back();
        errors.for_each(|error| self.ctx.add_error(error));
        Err(last.unwrap_or_else(|| ServerError::new("the document is null", None)))
    }

    /// Writes a list of documents.
    ///
    /// # Errors
    /// If one of the documents is null as a whole: an element of the list cannot be null, so the
    /// whole list is.
    pub(crate) fn list<'d>(
        &mut self,
        documents: impl Iterator<Item = &'d [u8]> + Clone,
    ) -> ServerResult<()> {
        let size: usize = documents.clone().map(<[u8]>::len).sum();
        self.out.reserve(size.min(MAX_RESERVED_BYTES));
        self.out.push(b'[');
        for (index, json) in documents.enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            self.document(json, Some(index))?;
        }
        self.out.push(b']');
        Ok(())
    }

    /// Converts an error of a document to one with its full path in the response.
    fn located(&self, error: &ProjectionError, index: Option<usize>) -> ServerError {
        let located = ServerError::new(error.to_string(), Some(self.ctx.item.pos));
        let mut located = self.ctx.set_error_path(located);
        located.path.extend(index.map(PathSegment::Index));
        located
            .path
            .extend(error.path().iter().map(|segment| match segment {
                Segment::Name(name) => PathSegment::Field(name.clone()),
                Segment::Index(index) => PathSegment::Index(*index),
            }));
        self.keep_path(located)
    }

    /// Returns what was written, with the fields of the application.
    ///
    /// # Errors
    /// If the response is too large, or a field of the application failed that cannot be null.
    pub(crate) async fn finish(self) -> ServerResult<Value> {
        let pos = self.ctx.item.pos;
        let fail = |message: String| ServerError::new(message, Some(pos));
        if !self.as_values {
            return String::from_utf8(self.out)
                .map(raw)
                .map_err(|error| fail(error.to_string()));
        }
        // A tree takes more than its text: each number of two bytes is a value of sixty-four.
        self.hold(self.out.len().saturating_mul(32))?;
        let value: Value =
            serde_json::from_slice(&self.out).map_err(|error| fail(error.to_string()))?;
        if !self.has_own_fields {
            return Ok(value);
        }
        own_fields::complete(self.ctx, &self.sets, self.shape, value)
            .await
            .map_err(|error| self.keep_path(error))
    }

    /// Keeps the path of an error that passes through a list: async-graphql overwrites it, and the
    /// extension restores it from here. An error with a source of its own keeps that instead.
    fn keep_path(&self, mut error: ServerError) -> ServerError {
        if error.source.is_none() {
            error.source = Some(Arc::new(ErrorPath(error.path.clone())));
        }
        error
    }
}
