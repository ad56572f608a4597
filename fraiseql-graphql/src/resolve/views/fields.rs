//! The root fields of a view, as they are in the schema.

use async_graphql::parser::types::{Field, VariableDefinition};
use async_graphql::registry::{MetaField, MetaInputValue, Registry};
use async_graphql::{Positioned, ServerResult, VisitorContext};

use super::Member;
use super::arguments::PAGE;
use crate::schema::{input, types};
use fraiseql_runtime::schema::View;

#[derive(Clone, Copy)]
pub(crate) enum Kind {
    One,
    Many,
    Page,
}

/// The names of the root fields of a view.
pub(crate) fn names(view: &View) -> [(String, Kind); 3] {
    let plural = camel(view.plural);
    [
        (camel(view.entity), Kind::One),
        (plural.clone(), Kind::Many),
        (format!("{plural}Connection"), Kind::Page),
    ]
}

/// `blog_post` as a name in GraphQL: `blogPost`.
fn camel(name: &str) -> String {
    let mut camel = String::with_capacity(name.len());
    let mut upper = false;
    for char in name.chars() {
        if char == '_' && !camel.is_empty() {
            upper = true;
        } else if std::mem::take(&mut upper) {
            camel.extend(char.to_uppercase());
        } else {
            camel.push(char);
        }
    }
    camel
}

/// The root fields of a view.
pub(crate) fn fields(registry: &mut Registry, member: Member) -> [MetaField; 3] {
    let view = member.handle.view;
    let name = types::object(registry, view.shape);
    let page = types::object(registry, (member.page)());
    let filter = input::register_where(registry, view);
    let order = input::register_order(registry, view);
    let key = types::scalar(registry, view.key.ty, true);
    let [(one, _), (many, _), (pages, _)] = names(view);
    let chosen = || {
        vec![
            types::input("where", filter.clone()),
            types::input("orderBy", format!("[{order}!]")),
        ]
    };
    let with = |mut field: MetaField, about: String, args: Vec<MetaInputValue>| {
        field.description = Some(about);
        field.args = args
            .into_iter()
            .map(|arg| (arg.name.clone(), arg))
            .collect();
        field
    };
    let default = |mut arg: MetaInputValue, value: u32| {
        arg.default_value = Some(value.to_string());
        arg
    };
    let mut all = chosen();
    all.push(default(types::input("limit", "Int!".to_owned()), PAGE));
    all.push(default(types::input("offset", "Int!".to_owned()), 0));
    let mut paged: Vec<_> = [
        ("first", "Int"),
        ("after", "String"),
        ("last", "Int"),
        ("before", "String"),
    ]
    .into_iter()
    .map(|(name, ty)| types::input(name, ty.to_owned()))
    .collect();
    paged.extend(chosen());

    let mut one = with(
        types::meta_field(&one, name.to_owned()),
        format!("The {name} of a key; null where there is none."),
        vec![types::input(key_field(view), format!("{key}!"))],
    );
    one.compute_complexity = None;
    let mut many = with(
        types::meta_field(&many, format!("[{name}!]!")),
        format!("Documents of {name}, by their key unless another order is asked for."),
        all,
    );
    many.compute_complexity = Some(|ctx, variables, field, child| {
        Ok(rows(ctx, variables, field, &["limit"])?
            .saturating_mul(child)
            .saturating_add(1))
    });
    let mut pages = with(
        types::meta_field(&pages, format!("{page}!")),
        format!(
            "A page of documents of {name}: the first or the last, after or before a cursor. The \
             first {PAGE} unless another is asked for."
        ),
        paged,
    );
    pages.compute_complexity = Some(|ctx, variables, field, child| {
        Ok(rows(ctx, variables, field, &["first", "last"])?
            .saturating_mul(child)
            .saturating_add(1))
    });
    [one, many, pages]
}

/// The name of the key in the documents of a view.
pub(crate) fn key_field(view: &View) -> &'static str {
    let mut fields = view.shape.fields.iter();
    fields
        .find(|field| types::is_key(view.shape, field))
        .map_or("id", |field| field.json)
}

/// How many documents a field asks for, for the complexity of the query.
fn rows(
    ctx: &VisitorContext<'_>,
    variables: &[Positioned<VariableDefinition>],
    field: &Field,
    arguments: &[&str],
) -> ServerResult<usize> {
    for name in arguments {
        let rows: Option<i64> = ctx.param_value(variables, field, name, None)?;
        if let Some(rows) = rows {
            return Ok(usize::try_from(rows).unwrap_or(0));
        }
    }
    Ok(PAGE as usize)
}
