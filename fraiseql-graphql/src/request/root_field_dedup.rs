//! Fields that stand in a query twice, resolved once.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex};

use async_graphql::{Context, QueryPathSegment, ServerResult, Value};
use futures_util::lock::Mutex as AsyncMutex;

use fraiseql_runtime::__graphql::lock;

/// The values of the fields that one request has resolved, by their names in the answer.
#[derive(Default)]
pub(crate) struct RootFieldDedup {
    values: Mutex<HashMap<String, Slot>>,
}

/// `None` until the first of the fields is resolved.
type Slot = Arc<AsyncMutex<Option<ServerResult<Value>>>>;

impl RootFieldDedup {
    /// Resolves a field of the query's outermost object, unless another of its name in the
    /// answer was: then its value is that one's, or its error, which is told once.
    pub(crate) async fn resolve(
        ctx: &Context<'_>,
        resolve: impl Future<Output = ServerResult<Value>>,
    ) -> ServerResult<Value> {
        let (Some(once), Some(name)) = (ctx.data_opt::<Self>(), outermost(ctx)) else {
            return resolve.await;
        };
        let slot = {
            let mut values = lock(&once.values);
            Arc::clone(values.entry(name.to_owned()).or_default())
        };
        let mut slot = slot.lock().await;
        if let Some(result) = &*slot {
            return result.clone();
        }
        let result = resolve.await;
        *slot = Some(result.clone());
        result
    }
}

/// The field's name in the answer, where it is one of the outermost object, and twice in it.
fn outermost<'a>(ctx: &Context<'a>) -> Option<&'a str> {
    let place = ctx.path_node?;
    let QueryPathSegment::Name(name) = place.segment else {
        return None;
    };
    if place.parent.is_some() {
        return None;
    }
    let mut fields = Vec::new();
    crate::resolve::requested_fields::fields_called(
        name,
        &ctx.query_env.operation.node.selection_set.node,
        &ctx.query_env.fragments,
        &mut fields,
    );
    (fields.len() > 1).then_some(name)
}
