//! Definitions of a view's root fields in the schema.

use async_graphql::ServerResult;
use async_graphql::registry::{MetaField, MetaInputValue, Registry};

use crate::resolve::views::arguments::DEFAULT_LIMIT;
use crate::resolve::views::key;
use crate::resolve::views::view_set::ViewMember;
use crate::schema::{input, types};
use fraiseql_runtime::schema::View;

/// The root fields of a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RootFieldKind {
    /// `post`: one document by its key.
    ByKey,
    /// `posts`: a list.
    List,
    /// `postsConnection`: a page of a list.
    Connection,
}

/// The names of the root fields of a view.
pub(crate) fn names(view: &View) -> [(String, RootFieldKind); 3] {
    [
        (view.field.to_owned(), RootFieldKind::ByKey),
        (view.list_field.to_owned(), RootFieldKind::List),
        (
            format!("{}Connection", view.list_field),
            RootFieldKind::Connection,
        ),
    ]
}

/// The definitions of the root fields of a view. Registers the types that they refer to.
pub(crate) fn definitions(registry: &mut Registry, member: ViewMember) -> [MetaField; 3] {
    let view = member.handle.view;
    let object = types::object(registry, view.shape);
    let connection = types::object(registry, (member.connection)());
    let filter = input::register_where(registry, view);
    let order = input::register_order(registry, view);
    let key = key::arguments(registry, view);
    let list_arguments = || {
        vec![
            types::input_value("where", filter.clone()),
            types::input_value("orderBy", format!("[{order}!]")),
        ]
    };
    let [(by_key, _), (list, _), (page, _)] = names(view);
    [
        with(
            types::meta_field(&by_key, object.to_owned()),
            key::description(view),
            key,
        ),
        list_field(&list, object, list_arguments()),
        connection_field(&page, object, connection, list_arguments()),
    ]
}

fn list_field(name: &str, object: &str, mut arguments: Vec<MetaInputValue>) -> MetaField {
    for (name, default) in [("limit", DEFAULT_LIMIT), ("offset", 0)] {
        let mut argument = types::input_value(name, "Int!".to_owned());
        argument.default_value = Some(default.to_string());
        arguments.push(argument);
    }
    let mut field = with(
        types::meta_field(name, format!("[{object}!]!")),
        format!("Documents of {object}, in the order of their keys by default."),
        arguments,
    );
    field.compute_complexity = Some(|ctx, variables, field, child| {
        let count = |name: &str| ctx.param_value(variables, field, name, None);
        Ok(row_count(RootFieldKind::List, count)?
            .saturating_mul(child)
            .saturating_add(1))
    });
    field
}

fn connection_field(
    name: &str,
    object: &str,
    connection: &str,
    list_arguments: Vec<MetaInputValue>,
) -> MetaField {
    let mut arguments: Vec<_> = [
        ("first", "Int"),
        ("after", "String"),
        ("last", "Int"),
        ("before", "String"),
    ]
    .into_iter()
    .map(|(name, ty)| types::input_value(name, ty.to_owned()))
    .collect();
    arguments.extend(list_arguments);
    let mut field = with(
        types::meta_field(name, format!("{connection}!")),
        format!(
            "A page of documents of {object}: the first or the last, after or before a cursor. By \
             default the first {DEFAULT_LIMIT}."
        ),
        arguments,
    );
    field.compute_complexity = Some(|ctx, variables, field, child| {
        let count = |name: &str| ctx.param_value(variables, field, name, None);
        Ok(row_count(RootFieldKind::Connection, count)?
            .saturating_mul(child)
            .saturating_add(1))
    });
    field
}

fn with(mut field: MetaField, description: String, arguments: Vec<MetaInputValue>) -> MetaField {
    field.description = Some(description);
    field.args = arguments
        .into_iter()
        .map(|argument| (argument.name.clone(), argument))
        .collect();
    field
}

/// The number of documents that a field requests, for the complexity of its query. `count` reads an
/// argument.
pub(super) fn row_count(
    kind: RootFieldKind,
    mut count: impl FnMut(&str) -> ServerResult<Option<i64>>,
) -> ServerResult<usize> {
    let arguments: &[&str] = match kind {
        RootFieldKind::ByKey => return Ok(1),
        RootFieldKind::List => &["limit"],
        RootFieldKind::Connection => &["first", "last"],
    };
    for name in arguments {
        if let Some(count) = count(name)? {
            return Ok(usize::try_from(count).unwrap_or(0));
        }
    }
    Ok(DEFAULT_LIMIT as usize)
}
