//! The changed documents of one view.

use std::sync::Arc;

use async_graphql::{Context, ID, Json, ServerResult, Value};
use fraiseql_runtime::__graphql::{
    BigInts, ByteLimit, Document, Keys, Scope, documents_at, each_key, first_keys, global_id_of,
};
use fraiseql_runtime::Readers;
use fraiseql_runtime::list::ListError;
use fraiseql_runtime::schema::View;
use futures_util::lock::Mutex as AsyncMutex;

use crate::budget::Budget;
use crate::resolve::changes::fields::DeletedDocument;
use crate::resolve::document_writer::DocumentWriter;
use crate::resolve::views::arguments::list_error;
use crate::resolve::views::key::{global_id, key_fields};
use crate::resolve::views::view_set::ViewMember;

/// What a mutation has changed in one view.
pub(super) struct ViewChanges {
    member: ViewMember,
    scope: Scope,
    keys: Keys,
    /// The number of documents that were deleted. They are among the keys.
    deleted: u64,
    /// What was read, once for all fields.
    read: AsyncMutex<Option<ServerResult<Arc<[Read]>>>>,
}

/// How a view is read.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) readers: &'a Readers,
    /// The most documents.
    pub(super) max: usize,
}

/// A key and its document, if there is one.
struct Read {
    key: Keys,
    values: Vec<serde_json::Value>,
    document: Option<Document>,
}

impl ViewChanges {
    pub(super) fn new(member: ViewMember, scope: Scope, keys: Keys, deleted: u64) -> Self {
        Self {
            member,
            scope,
            keys,
            deleted,
            read: AsyncMutex::default(),
        }
    }

    pub(super) const fn view(&self) -> &'static View {
        self.member.handle.view
    }

    pub(super) fn is_truncated(&self, max: usize) -> bool {
        self.keys.len() > max
    }

    /// Whether it is unknown which of the deleted documents the client could see: the tenant was in the
    /// document only.
    pub(super) fn hides_deleted(&self) -> bool {
        let is_of_key = || key_fields(self.view()).any(|field| field.is_tenant);
        self.deleted > 0 && matches!(self.scope, Scope::Tenant(_)) && !is_of_key()
    }

    /// The value of the field with the documents.
    pub(super) async fn documents(
        &self,
        ctx: &Context<'_>,
        source: Source<'_>,
    ) -> ServerResult<Value> {
        let inner = ctx.with_selection_set(&ctx.item.node.selection_set);
        let mut writer = DocumentWriter::of(&inner, self.view().shape)?;
        let read = self.read(ctx, source).await?;
        let documents = read.iter().filter_map(|read| read.document.as_ref());
        writer.list(documents.map(Document::json))?;
        writer.finish().await
    }

    /// The documents that were deleted. Nothing is read if there are none.
    pub(super) async fn deleted(
        &self,
        ctx: &Context<'_>,
        source: Source<'_>,
    ) -> ServerResult<Vec<DeletedDocument>> {
        if self.deleted == 0 || self.hides_deleted() {
            return Ok(Vec::new());
        }
        let read = self.read(ctx, source).await?;
        let gone = read
            .iter()
            .filter(|read| read.document.is_none() && self.is_in_scope(&read.values));
        let big_ints = ctx.data_opt::<BigInts>().copied().unwrap_or_default();
        Ok(gone
            .map(|read| identity(self.view(), read, big_ints))
            .collect())
    }

    /// Whether a document with this key is one that the client may see. It no longer exists, so its key says.
    fn is_in_scope(&self, values: &[serde_json::Value]) -> bool {
        let Scope::Tenant(tenant) = &self.scope else {
            return true;
        };
        let tenant = each_key(tenant).pop();
        let mut fields = key_fields(self.view()).zip(values);
        let of_key = fields.find(|(field, _)| field.is_tenant);
        match (tenant, of_key) {
            (Some((_, tenant)), Some((_, value))) => tenant.first() == Some(value),
            _ => false,
        }
    }

    /// Reads the documents, in one statement, unless another field has.
    async fn read(&self, ctx: &Context<'_>, source: Source<'_>) -> ServerResult<Arc<[Read]>> {
        let mut read = self.read.lock().await;
        if let Some(read) = &*read {
            return read.clone();
        }
        let result = self.documents_of_keys(ctx, source).await;
        read.insert(result.map(Arc::from)).clone()
    }

    async fn documents_of_keys(
        &self,
        ctx: &Context<'_>,
        source: Source<'_>,
    ) -> ServerResult<Vec<Read>> {
        let Source { readers, max } = source;
        let budget = Budget::of(ctx);
        let limit = budget
            .as_ref()
            .map(|it| Arc::clone(it) as Arc<dyn ByteLimit>);
        let (handle, scope) = (self.member.handle, self.scope.clone());
        let keys = each_key(&first_keys(&self.keys, max));
        let wanted = keys.iter().map(|(key, _)| key.clone()).collect();
        let documents = documents_at(readers, handle, scope, wanted, limit).await;
        let documents =
            documents.map_err(|error| list_error(ctx, ListError::Read(error), budget.as_ref()))?;
        let read = keys.into_iter().zip(documents);
        Ok(read
            .map(|((key, values), document)| Read {
                key,
                values,
                document,
            })
            .collect())
    }
}

/// What identified a document that no longer exists.
fn identity(view: &'static View, read: &Read, big_ints: BigInts) -> DeletedDocument {
    let shows = |name: &str| view.shape.shown_fields().any(|field| field.json == name);
    let fields = key_fields(view).zip(view.key.types).zip(&read.values);
    let mut key: serde_json::Map<_, _> = fields
        .filter(|((field, _), _)| shows(field.name))
        .map(|((field, ty), value)| {
            let value = match big_ints {
                BigInts::Strings if ty.sql == "int8" => value.to_string().into(),
                _ => value.clone(),
            };
            (field.name.to_owned(), value)
        })
        .collect();
    let deleted_id = match global_id(view).filter(|name| shows(name)) {
        Some(name) => {
            let id = global_id_of(view, read.key.clone()).to_string();
            key.insert(name.to_owned(), id.clone().into());
            Some(ID(id))
        }
        None if read.values.len() == 1 => key.values().next().map(|value| match value {
            serde_json::Value::String(text) => ID(text.clone()),
            other => ID(other.to_string()),
        }),
        None => None,
    };
    DeletedDocument {
        type_name: view.shape.type_name,
        deleted_id,
        key: Json(key),
    }
}
