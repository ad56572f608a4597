//! Resolution of a root field: one statement.

use std::sync::Arc;

use async_graphql::{Context, ServerResult, Value};

use crate::budget::Budget;
use crate::request::cached_plan::{CachedPlan, PlanRecorder};
use crate::request::position;
use crate::request::tenant::{self, TenantSource};
use crate::resolve::connection;
use crate::resolve::document_writer::DocumentWriter;
use crate::resolve::views::arguments::{self, DEFAULT_LIMIT, count, list_error};
use crate::resolve::views::fields::RootFieldKind;
use crate::resolve::views::key;
use crate::resolve::views::view_set::ViewMember;
use fraiseql_runtime::__graphql::{ByteLimit, Handle, Scope};
use fraiseql_runtime::ReadTarget as _;
use fraiseql_runtime::Readers;
use fraiseql_runtime::list::{Documents, List, ListError};

/// A root field of a view.
#[derive(Clone, Copy)]
pub(crate) struct ViewField {
    pub(crate) view: ViewMember,
    pub(crate) kind: RootFieldKind,
}

/// What the root fields of views share.
pub(crate) struct Reads {
    pub(crate) readers: Readers,
    /// The maximum number of documents of a list or a page.
    pub(crate) max_page: u32,
    /// Where the tenant is taken from. `None` if no view has one.
    pub(crate) tenant: Option<TenantSource>,
}

impl ViewField {
    /// Resolves the field.
    ///
    /// Each field reads on a connection of its own from `readers`: async-graphql resolves the root
    /// fields of a query concurrently. The connection is held while the statement runs, and not
    /// while its documents are written: a read gives it back as soon as it has all rows, and
    /// lending [`Readers`] hand it straight to a read that waits, such as the next root field of
    /// this query.
    pub(crate) async fn resolve(self, ctx: &Context<'_>, reads: &Reads) -> ServerResult<Value> {
        match self.kind {
            RootFieldKind::ByKey => match self.by_key(ctx, reads).await {
                Ok(value) => Ok(value),
                // The type of this field is nullable: null stops here, and the error is reported
                // beside it.
                Err(error) => {
                    let located = match error.path.as_slice() {
                        [] => ctx.set_error_path(error),
                        _ => error,
                    };
                    ctx.add_error(located);
                    Ok(Value::Null)
                }
            },
            RootFieldKind::List => self.list(ctx, reads).await,
            RootFieldKind::Connection => self.connection(ctx, reads).await,
        }
    }

    /// Whose documents the field may read.
    fn scope(self, ctx: &Context<'_>, reads: &Reads) -> ServerResult<Scope> {
        tenant::scope(ctx, self.view.handle.view, reads.tenant.as_ref())
    }

    async fn by_key(self, ctx: &Context<'_>, reads: &Reads) -> ServerResult<Value> {
        let handle = self.view.handle;
        let scope = self.scope(ctx, reads)?;
        let key = key::filter(ctx, handle.view, &scope)?;
        let inner = ctx.with_selection_set(&ctx.item.node.selection_set);
        let mut writer = DocumentWriter::of(&inner, handle.view.shape)?;
        let list = List::scoped(handle, scope)
            .filter(key)
            .limit(1)
            .omit(writer.projection().unselected_lists());
        let documents = read(ctx, reads, handle, &list, &writer, false)
            .await
            .map_err(|error| list_error(ctx, error, writer.budget()))?;
        let Some(document) = documents.iter().next() else {
            return Ok(Value::Null);
        };
        writer.document(document.json(), None)?;
        writer.finish().await
    }

    async fn list(self, ctx: &Context<'_>, reads: &Reads) -> ServerResult<Value> {
        let handle = self.view.handle;
        let scope = self.scope(ctx, reads)?;
        let limit =
            count(ctx, "limit", Some(DEFAULT_LIMIT), reads.max_page)?.unwrap_or(DEFAULT_LIMIT);
        let offset = count(ctx, "offset", Some(0), u32::MAX)?.unwrap_or(0);
        let inner = ctx.with_selection_set(&ctx.item.node.selection_set);
        let mut writer = DocumentWriter::of(&inner, handle.view.shape)?;
        let list = arguments::list(ctx, handle, scope)?
            .limit(limit.into())
            .offset(offset.into())
            .omit(writer.projection().unselected_lists());
        let documents = read(ctx, reads, handle, &list, &writer, true)
            .await
            .map_err(|error| list_error(ctx, error, writer.budget()))?;
        // Neither the list nor its elements can be null: an error makes `data` null.
        writer.list(documents.iter().map(|document| document.json()))?;
        writer.finish().await
    }

    async fn connection(self, ctx: &Context<'_>, reads: &Reads) -> ServerResult<Value> {
        let handle = self.view.handle;
        let scope = self.scope(ctx, reads)?;
        let page = arguments::page(ctx, reads.max_page)?;
        let inner = ctx.with_selection_set(&ctx.item.node.selection_set);
        let mut writer = DocumentWriter::of(&inner, (self.view.connection)())?;
        let selection = writer.projection().selection();
        let list = arguments::list(ctx, handle, scope)?
            .omit(connection::unselected_lists(handle.view.shape, selection));
        let page = list
            .within(limit(writer.budget()))
            .page(page, &reads.readers.at_least(position::at_least(ctx)))
            .await
            .map_err(|error| list_error(ctx, error, writer.budget()))?;
        connection::write(&mut writer, &page, handle.view.data)?;
        writer.finish().await
    }
}

/// Reads a list, and records the plan if the request may be answered directly another time.
async fn read(
    ctx: &Context<'_>,
    reads: &Reads,
    handle: Handle,
    list: &List,
    writer: &DocumentWriter<'_>,
    is_list: bool,
) -> Result<Documents, ListError> {
    let read = list.on(&&reads.readers).statement()?;
    if let Some(recorder) = ctx.data_opt::<PlanRecorder>()
        && !writer.as_values()
    {
        // Recorded before the statement runs: whether the plan is stored is decided by the whole
        // response, which has an error if the statement fails.
        recorder.record(CachedPlan {
            response_key: ctx.item.node.response_key().node.to_string(),
            is_list,
            plan: read.plan().clone(),
            // A view without a tenant is read also for a request that names none.
            tenant: reads
                .tenant
                .clone()
                .filter(|_| handle.view.tenant.is_some()),
            projection: writer.projection().clone(),
            readers: reads.readers.clone(),
        });
    }
    let read = read.within(limit(writer.budget()));
    let readers = reads.readers.at_least(position::at_least(ctx));
    Ok(Documents::of(readers.list(read).await?))
}

/// The limit of a read: what is left of the request's budget.
fn limit(budget: Option<&Arc<Budget>>) -> Option<Arc<dyn ByteLimit>> {
    budget.map(|budget| Arc::clone(budget) as Arc<dyn ByteLimit>)
}
