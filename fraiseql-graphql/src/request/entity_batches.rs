//! The entities of a request, which are read together.
//!
//! async-graphql asks for each entity of `_entities` by itself. The first to ask has all of them read,
//! and the others take theirs.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex};

use async_graphql::indexmap::IndexMap;
use async_graphql::{ServerResult, Value};
use futures_util::lock::Mutex as AsyncMutex;

use fraiseql_runtime::__graphql::lock;

/// In the data of an execution: the entities by the response key of their field, and by the root
/// fields that resolve them.
#[derive(Default)]
pub(crate) struct EntityBatches {
    batches: Mutex<HashMap<(String, usize), Slot>>,
}

/// `None` until the first entity is asked for.
type Slot = Arc<AsyncMutex<Option<ServerResult<Entities>>>>;

/// The entities of one field, by the texts of their representations.
#[derive(Default)]
pub(crate) struct Entities(HashMap<String, Vec<Option<Value>>>);

impl Entities {
    /// Adds an entity; `None` if its type is resolved by others. Equal representations have an entity
    /// each.
    pub(crate) fn add(&mut self, representation: String, entity: Option<Value>) {
        self.0.entry(representation).or_default().push(entity);
    }

    /// Takes an entity out: documents are not copied. The last one stays, without its fields: if the
    /// field is selected twice, async-graphql merges the two, and there is nothing to be added.
    fn take(&mut self, representation: &str) -> Option<Value> {
        let entities = self.0.get_mut(representation)?;
        if let [_, _, ..] = entities.as_slice() {
            return entities.pop().flatten();
        }
        let last = entities.first_mut()?;
        let rest = match &*last {
            Some(Value::Object(_)) => Some(Value::Object(IndexMap::new())),
            other => other.clone(),
        };
        std::mem::replace(last, rest)
    }
}

impl EntityBatches {
    /// The entity of a representation, of those that `read` returns once for each field and `reader`.
    pub(crate) async fn entity(
        &self,
        field: &str,
        reader: usize,
        representation: &str,
        read: impl Future<Output = ServerResult<Entities>>,
    ) -> ServerResult<Option<Value>> {
        let slot = {
            let mut batches = lock(&self.batches);
            Arc::clone(batches.entry((field.to_owned(), reader)).or_default())
        };
        let mut slot = slot.lock().await;
        if slot.is_none() {
            *slot = Some(read.await);
        }
        match &mut *slot {
            Some(Ok(entities)) => Ok(entities.take(representation)),
            Some(Err(error)) => Err(error.clone()),
            None => Ok(None),
        }
    }
}
