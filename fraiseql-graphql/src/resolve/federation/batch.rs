//! The entities of one field, in one statement for each of their types.

use std::sync::Arc;

use async_graphql::indexmap::IndexMap;
use async_graphql::registry::MetaType;
use async_graphql::{Any, Context, ContextSelectionSet, ServerError, ServerResult, Value};
use futures_util::future::join_all;

use crate::budget::Budget;
use crate::error::clip;
use crate::request::entity_batches::Entities;
use crate::request::{position, tenant};
use crate::resolve::document_writer::DocumentWriter;
use crate::resolve::federation::representation;
use crate::resolve::views::arguments::{bad_input, list_error};
use crate::resolve::views::root_field::Reads;
use crate::resolve::views::view_set::ViewMember;
use fraiseql_runtime::__graphql::{ByteLimit, Keys, documents_at};
use fraiseql_runtime::list::ListError;

/// Resolves the entities of a field, as far as they are of these views.
pub(super) struct Batch<'a> {
    pub(super) ctx: &'a Context<'a>,
    pub(super) reads: &'a Reads,
    pub(super) members: &'a [ViewMember],
}

/// The entities of one type: the positions of their representations, and their keys.
#[derive(Default)]
struct OfType {
    indexes: Vec<usize>,
    keys: Vec<Keys>,
}

/// The value of an entity: null, with an error beside it, if it failed.
type Resolved = (usize, Value);

impl Batch<'_> {
    /// Reads the entities of these representations.
    ///
    /// # Errors
    /// If there are too many, or too large ones. Other errors are of single entities, which are null.
    pub(super) async fn read(&self, representations: Vec<Any>) -> ServerResult<Entities> {
        let max = self.reads.max_page;
        if u32::try_from(representations.len()).map_or(true, |count| count > max) {
            let count = representations.len();
            let message = format!("representations has {count} entities, and may have {max}");
            return Err(bad_input(self.ctx, &message));
        }
        let mut values: Vec<Option<Value>> = vec![None; representations.len()];
        let mut types: IndexMap<usize, OfType> = IndexMap::new();
        for (index, Any(representation)) in representations.iter().enumerate() {
            match self.sort(index, representation, &mut types) {
                Ok(true) => {}
                // Left to other root fields.
                Ok(false) => continue,
                Err(error) => self.report(index, error),
            }
            values[index] = Some(Value::Null);
        }
        let types = types.into_iter();
        let read = types.map(|(member, wanted)| self.read_type(self.members[member], wanted));
        for resolved in join_all(read).await {
            for (index, value) in resolved? {
                values[index] = Some(value);
            }
        }
        let mut entities = Entities::default();
        // Equal representations are taken from the last to the first.
        for (Any(representation), value) in representations.iter().zip(values).rev() {
            entities.add(text(representation), value);
        }
        Ok(entities)
    }

    /// Adds an entity to those of its type. `false` if the type is not of these views.
    fn sort(
        &self,
        index: usize,
        representation: &Value,
        types: &mut IndexMap<usize, OfType>,
    ) -> ServerResult<bool> {
        let bad = |mut message: String| {
            clip(&mut message);
            bad_input(self.ctx, &message)
        };
        let (name, fields) = representation::typed(representation).map_err(bad)?;
        let is_it = |member: &ViewMember| member.handle.view.shape.type_name == name;
        let Some(place) = self.members.iter().position(is_it) else {
            if self.is_entity(name) {
                return Ok(false);
            }
            return Err(bad(format!("{name} is not an entity of this service")));
        };
        let view = self.members[place].handle;
        let scope = tenant::scope(self.ctx, view.view, self.reads.tenant.as_ref())?;
        let key = representation::key(fields, view, &scope).map_err(bad)?;
        let wanted = types.entry(place).or_default();
        wanted.indexes.push(index);
        wanted.keys.push(key);
        Ok(true)
    }

    /// Whether the schema has an entity of this name, which other root fields resolve.
    fn is_entity(&self, name: &str) -> bool {
        let entity = self.ctx.schema_env.registry.types.get("_Entity");
        entity.is_some_and(|union: &MetaType| union.is_possible_type(name))
    }

    /// Reads the entities of one type.
    async fn read_type(&self, member: ViewMember, wanted: OfType) -> ServerResult<Vec<Resolved>> {
        let OfType { indexes, keys } = wanted;
        let view = member.handle.view;
        let inner = self.selection();
        let scope = tenant::scope(self.ctx, view, self.reads.tenant.as_ref())?;
        let writer = DocumentWriter::of(&inner, view.shape)?;
        let budget = writer.budget();
        let limit = budget.map(|it| Arc::clone(it) as Arc<dyn ByteLimit>);
        let readers = self.reads.readers.at_least(position::at_least(self.ctx));
        let documents = match documents_at(&readers, member.handle, scope, keys, limit).await {
            Ok(documents) => documents,
            Err(failed) => {
                let error = list_error(self.ctx, ListError::Read(failed), budget);
                if is_exhausted(budget) {
                    return Err(error);
                }
                indexes
                    .iter()
                    .for_each(|index| self.report(*index, error.clone()));
                return Ok(Vec::new());
            }
        };
        let values = indexes
            .iter()
            .zip(&documents)
            .map(async |(index, document)| {
                let Some(document) = document else {
                    return Ok((*index, Value::Null));
                };
                let place = inner.with_index(*index);
                let mut writer = writer.at(&place);
                let written = match writer.document(document.json(), None) {
                    Ok(()) => writer.finish().await,
                    Err(error) => Err(error),
                };
                match written {
                    Ok(value) => Ok((*index, value)),
                    Err(error) if is_exhausted(budget) => Err(error),
                    Err(error) => {
                        self.report(*index, error);
                        Ok((*index, Value::Null))
                    }
                }
            });
        join_all(values).await.into_iter().collect()
    }

    fn selection(&self) -> ContextSelectionSet<'_> {
        let field = self.ctx.item;
        self.ctx.with_selection_set(&field.node.selection_set)
    }

    /// Reports the error of an entity, at its position. One of a document has its path already.
    fn report(&self, index: usize, mut error: ServerError) {
        if error.path.is_empty() {
            error = self.selection().with_index(index).set_error_path(error);
        }
        self.ctx.add_error(error);
    }
}

/// Whether the request may read and write no more: then all of its entities fail.
fn is_exhausted(budget: Option<&Arc<Budget>>) -> bool {
    budget.is_some_and(|budget| budget.left() == 0)
}

/// The text of a representation, by which its entity is found.
pub(super) fn text(representation: &Value) -> String {
    representation.to_string()
}
