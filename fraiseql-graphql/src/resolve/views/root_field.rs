//! Resolution of a root field: one statement.

use std::sync::Arc;

use async_graphql::{Context, ServerResult, Value};

use crate::budget::Budget;
use crate::request::cached_plan::{CachedPlan, PlanRecorder};
use crate::resolve::connection;
use crate::resolve::document_writer::DocumentWriter;
use crate::resolve::views::arguments::{
    self, DEFAULT_LIMIT, RawArgument, argument, bad_input, count, list_error,
};
use crate::resolve::views::fields::{RootFieldKind, key_field};
use crate::resolve::views::view_set::ViewMember;
use fraiseql_runtime::__graphql::ByteLimit;
use fraiseql_runtime::ReadTarget as _;
use fraiseql_runtime::Readers;
use fraiseql_runtime::list::{Documents, Filter, List, ListError, Operator};

/// A root field of a view.
#[derive(Clone, Copy)]
pub(crate) struct ViewField {
    pub(crate) view: ViewMember,
    pub(crate) kind: RootFieldKind,
}

impl ViewField {
    /// Resolves the field. A list or a page has `max_page` documents at most.
    ///
    /// Each field reads on a connection of its own from `readers`: async-graphql resolves the root
    /// fields of a query concurrently. The connection is held while the statement runs, and not
    /// while its documents are written: a read gives it back as soon as it has all rows, and
    /// lending [`Readers`] hand it straight to a read that waits, such as the next root field of
    /// this query.
    pub(crate) async fn resolve(
        self,
        ctx: &Context<'_>,
        readers: &Readers,
        max_page: u32,
    ) -> ServerResult<Value> {
        match self.kind {
            RootFieldKind::ByKey => self.by_key(ctx, readers).await,
            RootFieldKind::List => self.list(ctx, readers, max_page).await,
            RootFieldKind::Connection => self.connection(ctx, readers, max_page).await,
        }
    }

    async fn by_key(self, ctx: &Context<'_>, readers: &Readers) -> ServerResult<Value> {
        let handle = self.view.handle;
        let key = key_field(handle.view);
        let RawArgument(value) = argument(ctx, key)?;
        let value = value
            .into_json()
            .map_err(|error| bad_input(ctx, &error.to_string()))?;
        let inner = ctx.with_selection_set(&ctx.item.node.selection_set);
        let mut writer = DocumentWriter::of(&inner, handle.view.shape)?;
        let list = List::of_view(handle)
            .filter(Filter::compare(key, Operator::Eq, value))
            .limit(1)
            .omit(writer.projection().unselected_lists());
        let documents = read(ctx, readers, &list, &writer, false)
            .await
            .map_err(|error| list_error(ctx, error, writer.budget()))?;
        let Some(document) = documents.iter().next() else {
            return Ok(Value::Null);
        };
        let written = match writer.document(document.json(), None) {
            Ok(()) => writer.finish().await,
            Err(error) => Err(error),
        };
        match written {
            Ok(value) => Ok(value),
            // The type of this field is nullable: null stops here, and the error is reported beside
            // it.
            Err(error) => {
                ctx.add_error(error);
                Ok(Value::Null)
            }
        }
    }

    async fn list(
        self,
        ctx: &Context<'_>,
        readers: &Readers,
        max_page: u32,
    ) -> ServerResult<Value> {
        let handle = self.view.handle;
        let limit = count(ctx, "limit", Some(DEFAULT_LIMIT), max_page)?.unwrap_or(DEFAULT_LIMIT);
        let offset = count(ctx, "offset", Some(0), u32::MAX)?.unwrap_or(0);
        let inner = ctx.with_selection_set(&ctx.item.node.selection_set);
        let mut writer = DocumentWriter::of(&inner, handle.view.shape)?;
        let list = arguments::list(ctx, handle)?
            .limit(limit.into())
            .offset(offset.into())
            .omit(writer.projection().unselected_lists());
        let documents = read(ctx, readers, &list, &writer, true)
            .await
            .map_err(|error| list_error(ctx, error, writer.budget()))?;
        // Neither the list nor its elements can be null: an error makes `data` null.
        writer.list(documents.iter().map(|document| document.json()))?;
        writer.finish().await
    }

    async fn connection(
        self,
        ctx: &Context<'_>,
        readers: &Readers,
        max_page: u32,
    ) -> ServerResult<Value> {
        let handle = self.view.handle;
        let page = arguments::page(ctx, max_page)?;
        let inner = ctx.with_selection_set(&ctx.item.node.selection_set);
        let mut writer = DocumentWriter::of(&inner, (self.view.connection)())?;
        let selection = writer.projection().selection();
        let list = arguments::list(ctx, handle)?
            .omit(connection::unselected_lists(handle.view.shape, selection));
        let page = list
            .within(limit(writer.budget()))
            .page(page, readers)
            .await
            .map_err(|error| list_error(ctx, error, writer.budget()))?;
        connection::write(&mut writer, &page, handle.view.data)?;
        writer.finish().await
    }
}

/// Reads a list, and records the plan if the request may be answered directly another time.
async fn read(
    ctx: &Context<'_>,
    readers: &Readers,
    list: &List,
    writer: &DocumentWriter<'_>,
    is_list: bool,
) -> Result<Documents, ListError> {
    let read = list.statement()?;
    if let Some(recorder) = ctx.data_opt::<PlanRecorder>()
        && !writer.as_values()
    {
        // Recorded before the statement runs: whether the plan is stored is decided by the whole
        // response, which has an error if the statement fails.
        recorder.record(CachedPlan {
            response_key: ctx.item.node.response_key().node.to_string(),
            is_list,
            read: read.clone(),
            projection: writer.projection().clone(),
            readers: readers.clone(),
        });
    }
    let read = read.within(limit(writer.budget()));
    Ok(Documents::of(readers.list(read).await?))
}

/// The limit of a read: what is left of the request's budget.
fn limit(budget: Option<&Arc<Budget>>) -> Option<Arc<dyn ByteLimit>> {
    budget.map(|budget| Arc::clone(budget) as Arc<dyn ByteLimit>)
}
