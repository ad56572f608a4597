//! The object type of changes, and the types beside documents in it.

use async_graphql::indexmap::IndexMap;
use async_graphql::registry::{MetaField, Registry};
use async_graphql::{Enum, ID, Json, OutputType as _, SimpleObject};

use crate::resolve::views::arguments::DEFAULT_LIMIT;
use crate::resolve::views::view_set::ViewMember;
use crate::schema::types;

/// The field with the documents that were deleted.
pub(super) const DELETED: &str = "deleted";
/// The field with the types of which not all changes are shown.
pub(super) const INCOMPLETE: &str = "incomplete";

/// A document that a mutation has deleted: its type, and the fields by which a client knows it.
#[derive(SimpleObject)]
pub(super) struct DeletedDocument {
    /// The name of its type.
    #[graphql(name = "type")]
    pub(super) type_name: &'static str,
    /// Its global id, or its key if that is one field; null if it has neither. It is not named `id`, by which caches of
    /// clients would take this object for the document.
    pub(super) deleted_id: Option<ID>,
    /// The fields that identify it, as they were in the document: those of its key, and its global id.
    pub(super) key: Json<serde_json::Map<String, serde_json::Value>>,
}

/// A type of which not all changed documents are shown: read again what is shown of it.
#[derive(SimpleObject)]
pub(super) struct IncompleteChanges {
    /// The name of the type.
    #[graphql(name = "type")]
    pub(super) type_name: &'static str,
    /// Why they are not shown.
    pub(super) reason: IncompleteReason,
}

/// Why changed documents are not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(super) enum IncompleteReason {
    /// There are more than one response has.
    Truncated,
    /// They will change in a moment: a worker writes them.
    Later,
    /// There are so many that they are not written until the type is synced as a whole.
    Deferred,
    /// Some were deleted, and it is not known which of them the client could see.
    Deleted,
}

/// The fields of the object type. Registers the types that they refer to.
///
/// # Panics
/// If two fields have the same name.
pub(super) fn definitions(
    registry: &mut Registry,
    members: &[ViewMember],
) -> IndexMap<String, MetaField> {
    let deleted = Vec::<DeletedDocument>::create_type_info(registry);
    let incomplete = Vec::<IncompleteChanges>::create_type_info(registry);
    let documents = members.iter().map(|member| documents(registry, *member));
    let mut fields: Vec<MetaField> = documents.collect();
    fields.push(documented(
        types::meta_field(DELETED, nullable(&deleted)),
        "The documents that were deleted. Null if they cannot be read now.",
    ));
    fields.push(documented(
        types::meta_field(INCOMPLETE, incomplete),
        "The types of which there are other changes than these.",
    ));
    let mut named = IndexMap::new();
    for field in fields {
        let name = field.name.clone();
        let other = named.insert(name.clone(), field);
        assert!(
            other.is_none(),
            "changes have two fields `{name}`; give the view another name with #[tview(plural = \"..\")]"
        );
    }
    named
}

/// `posts`: the documents of one view.
fn documents(registry: &mut Registry, member: ViewMember) -> MetaField {
    let view = member.handle.view;
    let object = types::object(registry, view.shape);
    let mut field = documented(
        types::meta_field(view.list_field, format!("[{object}!]")),
        "Those that were changed, as they are now, in the order of their keys. Null if they cannot be read now.",
    );
    // Nobody knows how many there will be.
    field.compute_complexity = Some(|_, _, _, child| {
        let documents = DEFAULT_LIMIT as usize;
        Ok(documents.saturating_mul(child).saturating_add(1))
    });
    field
}

/// A type in GraphQL notation that may be null.
fn nullable(ty: &str) -> String {
    ty.trim_end_matches('!').to_owned()
}

fn documented(field: MetaField, docs: &str) -> MetaField {
    MetaField {
        description: Some(docs.to_owned()),
        ..field
    }
}
