//! Resolution of a root field: one statement, and another one for the number of documents.

use std::sync::Arc;

use async_graphql::{Context, ContextSelectionSet, ServerResult, Value};

use crate::request::cache_hints::CacheHints;
use crate::request::direct::recorder::PlanRecorder;
use crate::request::root_field_dedup::RootFieldDedup;
use crate::request::{position, tenant};
use crate::resolve::connection::{self, SelectedFields};
use crate::resolve::document_writer::DocumentWriter;
use crate::resolve::views::arguments::{list_error, raw};
use crate::resolve::views::direct;
use crate::resolve::views::fields::RootFieldKind;
use crate::resolve::views::root_field::{Reads, ViewField};
use fraiseql_runtime::__graphql::{ByteLimit, Scope};
use fraiseql_runtime::list::{Documents, List};

impl ViewField {
    /// Resolves the field.
    ///
    /// Each field reads on a connection of its own from `readers`: async-graphql resolves the root
    /// fields of a query concurrently. The connection is held while the statement runs, and not
    /// while its documents are written: a read gives it back as soon as it has all rows, and
    /// lending [`Readers`] hand it straight to a read that waits, such as the next root field of
    /// this query.
    pub(crate) async fn resolve(self, ctx: &Context<'_>, reads: &Reads) -> ServerResult<Value> {
        let value = self.value(ctx, reads).await;
        self.nulled(ctx, value)
    }

    /// Resolves the field of a root: once for all fields of a query with its response key.
    pub(crate) async fn resolve_root(
        self,
        ctx: &Context<'_>,
        reads: &Reads,
    ) -> ServerResult<Value> {
        let resolved = RootFieldDedup::resolve(ctx, self.resolve(ctx, reads)).await;
        resolved.map_err(|error| {
            // An error of a document has its path already, which is longer.
            if error.path.is_empty() {
                ctx.set_error_path(error)
            } else {
                error
            }
        })
    }

    /// The value of the field, or null in place of an error, where it may be null.
    pub(crate) fn nulled(
        self,
        ctx: &Context<'_>,
        value: ServerResult<Value>,
    ) -> ServerResult<Value> {
        match (self.kind, value) {
            // The type of this field is nullable: null stops here, and the error is reported beside it.
            (RootFieldKind::ByKey, Err(error)) => {
                let located = match error.path.as_slice() {
                    [] => ctx.set_error_path(error),
                    _ => error,
                };
                ctx.add_error(located);
                Ok(Value::Null)
            }
            // Neither a list nor its elements can be null, nor can a connection: an error makes `data`
            // null.
            (_, value) => value,
        }
    }

    /// Records how the field reads, and reads nothing: what it returns stands for a value that has no documents.
    fn plan(
        self,
        ctx: &Context<'_>,
        reads: &Reads,
        recorder: &PlanRecorder,
    ) -> ServerResult<Value> {
        let inner = ctx.with_selection_set(&ctx.item.node.selection_set);
        let writer = self.writer(&inner)?;
        self.note_hint(ctx, reads, &writer);
        if !writer.as_values() {
            let projection = writer.projection();
            let list = List::scoped(self.view.handle, Scope::Whole);
            let list = self.selected(projection).restrict(list);
            let key = &ctx.item.node.response_key().node;
            recorder.record(key, direct::recorded(self, reads, projection, &list));
        }
        Ok(match self.kind {
            RootFieldKind::ByKey => Value::Null,
            RootFieldKind::List => Value::List(Vec::new()),
            RootFieldKind::Connection => Value::Object(Default::default()),
        })
    }

    async fn value(self, ctx: &Context<'_>, reads: &Reads) -> ServerResult<Value> {
        let planning = ctx.data_opt::<PlanRecorder>();
        if let Some(recorder) = planning.filter(|recorder| recorder.is_planning) {
            return self.plan(ctx, reads, recorder);
        }
        let view = self.view.handle.view;
        let scope = tenant::scope(ctx, view, reads.tenant.as_ref())?;
        let read = self.read(ctx, scope, reads.max_page)?;
        let inner = ctx.with_selection_set(&ctx.item.node.selection_set);
        let mut writer = self.writer(&inner)?;
        self.note_hint(ctx, reads, &writer);
        let selected = self.selected(writer.projection());
        let limit = writer
            .budget()
            .map(|it| Arc::clone(it) as Arc<dyn ByteLimit>);
        let list = selected.restrict(read.list).within(limit);
        if let Some(recorder) = recorder(ctx, &writer) {
            let key = &ctx.item.node.response_key().node;
            let projection = writer.projection();
            recorder.record(key, direct::recorded(self, reads, projection, &list));
        }
        let readers = reads.readers.at_least(position::at_least(ctx));
        let failed = |error, writer: &DocumentWriter<'_>| list_error(ctx, error, writer.budget());
        if let Some(page) = read.page {
            let fields = SelectedFields::of(writer.projection().selection());
            let page = fields.read(&list, page, &readers).await;
            let page = page.map_err(|error| failed(error, &writer))?;
            connection::write(&mut writer, &page, view.data)?;
            return writer.finish().await;
        }
        let documents = list.read(&readers).await;
        let documents = documents.map_err(|error| failed(error, &writer))?;
        self.written(writer, &documents).await
    }

    fn writer<'a>(self, inner: &'a ContextSelectionSet<'a>) -> ServerResult<DocumentWriter<'a>> {
        let shape = match self.kind {
            RootFieldKind::Connection => (self.view.connection)(),
            RootFieldKind::ByKey | RootFieldKind::List => self.view.handle.view.shape,
        };
        DocumentWriter::of(inner, shape)
    }

    fn note_hint(self, ctx: &Context<'_>, reads: &Reads, writer: &DocumentWriter<'_>) {
        let hint = reads.cache.of(self.view.handle.view);
        // A field of the application may depend on anything.
        if let Some(hint) = hint.filter(|_| !writer.has_own_fields()) {
            CacheHints::note(ctx, hint);
        }
    }

    /// The list that the field reads in a scope, with what is selected of its documents; and a text that is the same only for
    /// the same documents.
    pub(crate) fn shared_list(
        self,
        ctx: &Context<'_>,
        scope: Scope,
        reads: &Reads,
    ) -> ServerResult<(String, List)> {
        let text = format!("{scope:?}");
        let read = self.read(ctx, scope, reads.max_page)?;
        let inner = ctx.with_selection_set(&ctx.item.node.selection_set);
        let writer = self.writer(&inner)?;
        let selected = self.selected(writer.projection());
        let mut arguments = Vec::new();
        for (name, _) in &ctx.item.node.arguments {
            arguments.push((name.node.as_str(), raw(ctx, name.node.as_str())?));
        }
        let field = ctx.item.node.name.node.as_str();
        Ok((
            format!("{field} {text} {arguments:?} {selected:?}"),
            selected.restrict(read.list),
        ))
    }

    /// The value of documents that were read by [`shared_list`](Self::shared_list).
    pub(crate) async fn of_documents(
        self,
        ctx: &Context<'_>,
        documents: &Documents,
    ) -> ServerResult<Value> {
        let inner = ctx.with_selection_set(&ctx.item.node.selection_set);
        let writer = self.writer(&inner)?;
        self.written(writer, documents).await
    }

    async fn written(
        self,
        mut writer: DocumentWriter<'_>,
        documents: &Documents,
    ) -> ServerResult<Value> {
        if self.kind == RootFieldKind::List {
            writer.list(documents.iter().map(|document| document.json()))?;
            return writer.finish().await;
        }
        let Some(document) = documents.iter().next() else {
            return Ok(Value::Null);
        };
        writer.document(document.json(), None)?;
        writer.finish().await
    }
}

/// Where it is recorded how the field is read, if it is of the root, and the request may be answered
/// directly another time.
///
/// Recorded before the statement runs: whether there is a plan is decided by the whole response, which
/// has an error if the statement fails.
fn recorder<'a>(ctx: &Context<'a>, writer: &DocumentWriter<'_>) -> Option<&'a PlanRecorder> {
    let is_root = ctx.path_node.is_some_and(|node| node.parent.is_none());
    ctx.data_opt::<PlanRecorder>()
        .filter(|_| is_root && !writer.as_values())
}
