//! A root field that is read again, for a direct answer.

use std::sync::Arc;

use async_graphql::Data;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use crate::request::direct::arguments::BoundArguments;
use crate::request::direct::plan::{DirectRead, Found, RecordedField, RequestParts};
use crate::resolve::connection::{self, SelectedFields};
use crate::resolve::views::arguments::typed;
use crate::resolve::views::fields::{RootFieldKind, row_count};
use crate::resolve::views::key;
use crate::resolve::views::root_field::{FieldRead, Reads, SelectedKeys, ViewField};
use fraiseql_runtime::__graphql::{
    ByteLimit, Document, DocumentUnless, KeptStatement, Scope, document_at, key_of_values,
};
use fraiseql_runtime::ReadTarget as _;
use fraiseql_runtime::list::List;
use fraiseql_runtime::schema::Storage;
use fraiseql_runtime::select::Projection;

/// What is recorded of a root field when it is resolved.
pub(super) fn recorded(
    field: ViewField,
    reads: &Reads,
    projection: &Projection,
    list: &List,
) -> RecordedField {
    let kept = Arc::default();
    let list = list.clone().kept_in(&kept);
    let direct = DirectField {
        by_key: field.kind == RootFieldKind::ByKey && list.reads_whole_documents().unwrap_or(false),
        field,
        origin: origin(field, reads),
        reads: reads.clone(),
        selected: field.selected(projection),
        connection: SelectedFields::of(projection.selection()),
        kept,
        kept_with_version: Arc::default(),
    };
    RecordedField {
        read: Box::new(direct),
        projection: projection.clone(),
    }
}

/// Where the document of a field is stored, if it has a version there.
fn origin(field: ViewField, reads: &Reads) -> Option<String> {
    let has_version =
        field.kind == RootFieldKind::ByKey && field.view.handle.view.storage == Storage::Table;
    has_version.then(|| {
        let handle = (&reads.readers).view(field.view.handle);
        let server = reads.readers.pool().connect_options();
        let (host, port) = (server.get_host(), server.get_port());
        let database = server.get_database().unwrap_or_default();
        let (table, shape) = (handle.view.table, handle.statements().shape);
        format!("{host}:{port}/{database} {table} {shape:016x}")
    })
}

struct DirectField {
    field: ViewField,
    reads: Reads,
    origin: Option<String>,
    /// What is selected of the documents: the rest need not be read.
    selected: SelectedKeys,
    /// What is selected of a connection.
    connection: SelectedFields,
    kept: Arc<KeptStatement>,
    /// The statement that returns the version as well.
    kept_with_version: Arc<KeptStatement>,
    /// Whether it reads one document as a whole, which several requests can do with one statement.
    by_key: bool,
}

impl DirectRead for DirectField {
    fn row_count(&self, arguments: BoundArguments<'_>) -> usize {
        // An argument that is no number is an error when the field is read.
        row_count(self.field.kind, |name| typed(&arguments, name)).unwrap_or(usize::MAX)
    }

    fn max_running(&self) -> Option<usize> {
        (!self.by_key).then(|| self.reads.readers.max_running())
    }

    fn origin(&self) -> Option<&str> {
        self.origin.as_deref()
    }

    fn scope(&self, data: &Data) -> Option<Scope> {
        let tenant = self.reads.tenant.as_ref();
        match tenant.filter(|_| self.field.view.handle.view.tenant.is_some()) {
            Some(tenant) => tenant.scope_of(data),
            // A view without a tenant is read also for a request that names none.
            None => Some(Scope::Whole),
        }
    }

    fn read<'a>(
        &'a self,
        arguments: BoundArguments<'a>,
        scope: Scope,
        request: RequestParts<'a>,
        held: Option<Vec<String>>,
    ) -> BoxFuture<'a, Option<Found>> {
        if self.by_key && held.is_none() {
            return self.found_by_key(arguments, scope, request).boxed();
        }
        self.found(arguments, scope, request, held).boxed()
    }
}

impl DirectField {
    async fn found_by_key(
        &self,
        arguments: BoundArguments<'_>,
        scope: Scope,
        request: RequestParts<'_>,
    ) -> Option<Found> {
        let handle = self.field.view.handle;
        let values = key::values(&arguments, handle.view, &scope).ok()?;
        let key = key_of_values(handle, &scope, values).ok()?;
        let limit = Some(Arc::clone(request.budget) as Arc<dyn ByteLimit>);
        let readers = self.reads.readers.at_least(request.position);
        let document = document_at(&readers, handle, scope, key, limit).await;
        Some(Found::One(one(document.ok()?)))
    }

    async fn found(
        &self,
        arguments: BoundArguments<'_>,
        scope: Scope,
        request: RequestParts<'_>,
        held: Option<Vec<String>>,
    ) -> Option<Found> {
        let budget = request.budget;
        let limit = Some(Arc::clone(budget) as Arc<dyn ByteLimit>);
        let readers = self.reads.readers.at_least(request.position);
        let read = self.field.read(&arguments, scope, self.reads.max_page);
        let FieldRead { list, page } = read.ok()?;
        let list = self.selected.restrict(list).within(limit);
        if let Some(held) = held {
            let list = list.kept_in(&self.kept_with_version);
            return Some(Found::One(list.read_unless(held, &readers).await.ok()?));
        }
        let list = list.kept_in(&self.kept);
        let Some(page) = page else {
            let documents = list.read(&readers).await.ok()?;
            return Some(match self.field.kind {
                RootFieldKind::ByKey => Found::One(one(documents.into_iter().next())),
                RootFieldKind::List | RootFieldKind::Connection => Found::List(documents),
            });
        };
        let view = self.field.view.handle.view;
        let page = self.connection.read(&list, page, &readers).await.ok()?;
        let copied = self.connection.copied_bytes(&page);
        let json = || connection::json(&page, view.data, &self.connection);
        budget.hold(copied).then(|| Found::Connection(json()))
    }
}

/// The document of a read by key. One whose row is gone from the base table is missing.
fn one(document: Option<Document>) -> DocumentUnless {
    let version = None;
    match document {
        Some(document) => DocumentUnless::Document { document, version },
        None => DocumentUnless::Missing,
    }
}
