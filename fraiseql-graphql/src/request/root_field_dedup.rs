//! Deduplication of root fields with one response key.
//!
//! async-graphql resolves each field of a query by itself, also two with the same response key:
//! `{ posts { id } posts { title } }`. Both have the same value, since each is resolved with the
//! merged selection, so a view is read only once.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex};

use async_graphql::indexmap::IndexMap;
use async_graphql::{Context, QueryPathSegment, ServerResult, Value};
use futures_util::lock::Mutex as AsyncMutex;

use crate::spec::operation::fields_with_key;
use fraiseql_runtime::__graphql::lock;

/// In the data of an execution: the values of its root fields by their response keys.
#[derive(Default)]
pub(crate) struct RootFieldDedup {
    values: Mutex<HashMap<String, Slot>>,
}

/// `None` until the first field with the response key is resolved.
type Slot = Arc<AsyncMutex<Option<ServerResult<Value>>>>;

impl RootFieldDedup {
    /// Resolves a root field, or returns the result of an earlier field with the same response key.
    pub(crate) async fn resolve(
        ctx: &Context<'_>,
        resolve: impl Future<Output = ServerResult<Value>>,
    ) -> ServerResult<Value> {
        let (Some(dedup), Some(key)) = (ctx.data_opt::<Self>(), repeated_key(ctx)) else {
            return resolve.await;
        };
        let slot = {
            let mut values = lock(&dedup.values);
            Arc::clone(values.entry(key.to_owned()).or_default())
        };
        // Root fields of a query are resolved concurrently: the first to lock the slot resolves,
        // and the others wait for its result. Each response key has its own slot, so that different
        // fields do not wait for each other.
        let mut slot = slot.lock().await;
        if let Some(result) = &*slot {
            return again(result);
        }
        let result = resolve.await;
        *slot = Some(result.clone());
        result
    }
}

/// The result for a further field with the same response key. async-graphql merges the values of
/// both: documents are not copied, since nothing is to be added to them.
fn again(result: &ServerResult<Value>) -> ServerResult<Value> {
    fn empty(value: &Value) -> Value {
        match value {
            Value::Object(_) => Value::Object(IndexMap::new()),
            Value::List(items) => Value::List(items.iter().map(empty).collect()),
            value => value.clone(),
        }
    }
    match result {
        Ok(value) => Ok(empty(value)),
        Err(error) => Err(error.clone()),
    }
}

/// The response key of the field that is being resolved, if it is a root field and the operation
/// has another with the same key.
fn repeated_key<'a>(ctx: &Context<'a>) -> Option<&'a str> {
    let node = ctx.path_node?;
    let QueryPathSegment::Name(key) = node.segment else {
        return None;
    };
    if node.parent.is_some() {
        return None;
    }
    let mut fields = Vec::new();
    fields_with_key(
        key,
        &ctx.query_env.operation.node.selection_set.node,
        &ctx.query_env.fragments,
        &mut fields,
    );
    (fields.len() > 1).then_some(key)
}
