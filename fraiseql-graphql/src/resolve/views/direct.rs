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
use crate::resolve::views::root_field::{FieldRead, Reads, SelectedKeys, ViewField};
use fraiseql_runtime::__graphql::{ByteLimit, DocumentUnless, KeptStatement, Scope};
use fraiseql_runtime::ReadTarget as _;
use fraiseql_runtime::list::Documents;
use fraiseql_runtime::schema::Storage;
use fraiseql_runtime::select::Projection;

/// What is recorded of a root field when it is resolved.
pub(super) fn recorded(field: ViewField, reads: &Reads, projection: &Projection) -> RecordedField {
    let direct = DirectField {
        field,
        origin: origin(field, reads),
        reads: reads.clone(),
        selected: field.selected(projection),
        connection: SelectedFields::of(projection.selection()),
        kept: Arc::default(),
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
}

impl DirectRead for DirectField {
    fn row_count(&self, arguments: BoundArguments<'_>) -> usize {
        // An argument that is no number is an error when the field is read.
        row_count(self.field.kind, |name| typed(&arguments, name)).unwrap_or(usize::MAX)
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
        self.found(arguments, scope, request, held).boxed()
    }
}

impl DirectField {
    async fn found(
        &self,
        arguments: BoundArguments<'_>,
        scope: Scope,
        request: RequestParts<'_>,
        held: Option<Vec<String>>,
    ) -> Option<Found> {
        let read = self.field.read(&arguments, scope, self.reads.max_page);
        let FieldRead { list, page } = read.ok()?;
        let budget = request.budget;
        let list = self
            .selected
            .restrict(list)
            .within(Some(Arc::clone(budget) as Arc<dyn ByteLimit>));
        let readers = self.reads.readers.at_least(request.position);
        if let Some(held) = held {
            let list = list.kept_in(&self.kept_with_version);
            return Some(Found::One(list.read_unless(held, &readers).await.ok()?));
        }
        let list = list.kept_in(&self.kept);
        let Some(page) = page else {
            let documents = list.read(&readers).await.ok()?;
            return Some(match self.field.kind {
                RootFieldKind::ByKey => Found::One(only(documents)),
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
fn only(documents: Documents) -> DocumentUnless {
    let version = None;
    match documents.into_iter().next() {
        Some(document) => DocumentUnless::Document { document, version },
        None => DocumentUnless::Missing,
    }
}
