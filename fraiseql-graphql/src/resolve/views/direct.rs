//! A root field that is read again, for a direct answer.

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use crate::request::direct::arguments::BoundArguments;
use crate::request::direct::plan::{DirectRead, Found, RecordedField, RequestParts};
use crate::resolve::connection::{self, SelectedFields};
use crate::resolve::views::arguments::typed;
use crate::resolve::views::fields::{RootFieldKind, row_count};
use crate::resolve::views::root_field::{FieldRead, Reads, SelectedKeys, ViewField};
use fraiseql_runtime::__graphql::{ByteLimit, KeptStatement, Scope};
use fraiseql_runtime::select::Projection;

/// What is recorded of a root field when it is resolved.
pub(super) fn recorded(field: ViewField, reads: &Reads, projection: &Projection) -> RecordedField {
    let direct = DirectField {
        field,
        reads: reads.clone(),
        selected: field.selected(projection),
        connection: SelectedFields::of(projection.selection()),
        kept: Arc::default(),
    };
    RecordedField {
        read: Box::new(direct),
        projection: projection.clone(),
    }
}

struct DirectField {
    field: ViewField,
    reads: Reads,
    /// What is selected of the documents: the rest need not be read.
    selected: SelectedKeys,
    /// What is selected of a connection.
    connection: SelectedFields,
    kept: Arc<KeptStatement>,
}

impl DirectRead for DirectField {
    fn row_count(&self, arguments: BoundArguments<'_>) -> usize {
        // An argument that is no number is an error when the field is read.
        row_count(self.field.kind, |name| typed(&arguments, name)).unwrap_or(usize::MAX)
    }

    fn read<'a>(
        &'a self,
        arguments: BoundArguments<'a>,
        request: RequestParts<'a>,
    ) -> BoxFuture<'a, Option<Found>> {
        self.found(arguments, request).boxed()
    }
}

impl DirectField {
    async fn found(
        &self,
        arguments: BoundArguments<'_>,
        request: RequestParts<'_>,
    ) -> Option<Found> {
        let view = self.field.view.handle.view;
        let tenant = self.reads.tenant.as_ref();
        let scope = match tenant.filter(|_| view.tenant.is_some()) {
            Some(tenant) => tenant.scope_of(request.data)?,
            // A view without a tenant is read also for a request that names none.
            None => Scope::Whole,
        };
        let read = self.field.read(&arguments, scope, self.reads.max_page);
        let FieldRead { list, page } = read.ok()?;
        let budget = request.budget;
        let list = self
            .selected
            .restrict(list)
            .within(Some(Arc::clone(budget) as Arc<dyn ByteLimit>))
            .kept_in(&self.kept);
        let readers = self.reads.readers.at_least(request.position);
        let Some(page) = page else {
            let documents = list.read(&readers).await.ok()?;
            return Some(match self.field.kind {
                RootFieldKind::ByKey => Found::One(documents),
                RootFieldKind::List | RootFieldKind::Connection => Found::List(documents),
            });
        };
        let page = self.connection.read(&list, page, &readers).await.ok()?;
        let copied = self.connection.copied_bytes(&page);
        let json = || connection::json(&page, view.data, &self.connection);
        budget.hold(copied).then(|| Found::Connection(json()))
    }
}
