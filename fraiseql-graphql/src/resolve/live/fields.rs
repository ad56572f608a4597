//! Definitions of the root fields of subscriptions.

use async_graphql::registry::{MetaField, Registry};

use crate::resolve::views::fields::{self as query_fields, RootFieldKind};
use crate::resolve::views::view_set::ViewMember;
use crate::schema::types;
use fraiseql_runtime::schema::View;

/// The root fields of a view in a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LiveKind {
    /// `post` and `posts`: as in a query.
    Read(RootFieldKind),
    /// `postChanged`.
    Changes,
}

/// The names of the root fields of a view.
pub(super) fn names(view: &View) -> [(String, LiveKind); 3] {
    [
        (view.field.to_owned(), LiveKind::Read(RootFieldKind::ByKey)),
        (
            view.list_field.to_owned(),
            LiveKind::Read(RootFieldKind::List),
        ),
        (format!("{}Changed", view.field), LiveKind::Changes),
    ]
}

/// The definitions of the root fields of a view. Registers the types that they refer to.
pub(super) fn definitions(registry: &mut Registry, member: ViewMember) -> [MetaField; 3] {
    let view = member.handle.view;
    let [document, list, _] = query_fields::definitions(registry, member);
    let [.., (changed, _)] = names(view);
    let change = types::object(registry, (member.change)());
    let changes = MetaField {
        description: Some(format!(
            "The documents of {} that change. The first element is a `RESET`, after which no change is missed.",
            view.shape.type_name
        )),
        ..types::meta_field(&changed, format!("{change}!"))
    };
    [again(document), again(list), changes]
}

/// The same field, that is sent more than once.
fn again(mut field: MetaField) -> MetaField {
    if let Some(description) = &mut field.description {
        description.push_str(" Sent again whenever it has changed.");
    }
    field
}
