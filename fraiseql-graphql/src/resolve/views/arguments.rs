//! What is asked of a root field, by its arguments.

use std::borrow::Cow;

use async_graphql::registry::Registry;
use async_graphql::{
    Context, InputType, InputValueError, InputValueResult, ServerError, ServerResult, Value,
};

use crate::error::error;
use crate::schema::input;
use fraiseql_runtime::__graphql::Handle;
use fraiseql_runtime::list::{Cursor, List, ListError, Page};

/// The size of a page that does not say one.
pub(crate) const PAGE: u32 = 20;
/// The largest page, unless another is set.
pub(crate) const MAX_PAGE: u32 = 100;

/// The list that `where` and `orderBy` ask for.
pub(crate) fn chosen(ctx: &Context<'_>, handle: Handle) -> ServerResult<List> {
    let mut list = List::of_view(handle);
    let Given(value) = argument(ctx, "where")?;
    if value != Value::Null {
        let filter = input::filter(handle.view, &value).map_err(|error| mistake(ctx, &error))?;
        list = list.filter(filter);
    }
    let Given(value) = argument(ctx, "orderBy")?;
    let order = input::order(handle.view, &value).map_err(|error| mistake(ctx, &error))?;
    Ok(order.into_iter().fold(list, List::order_by))
}

/// The page that is asked for.
pub(crate) fn page(ctx: &Context<'_>, most: u32) -> ServerResult<Page> {
    let first = count(ctx, "first", None, most)?;
    let last = count(ctx, "last", None, most)?;
    let after = cursor(ctx, "after")?;
    let before = cursor(ctx, "before")?;
    let page = match (first, last) {
        (Some(_), Some(_)) => return Err(mistake(ctx, "first and last cannot both be given")),
        (None, Some(last)) => Page::last(last),
        (first, None) => Page::first(first.unwrap_or(PAGE.min(most))),
    };
    let page = match after {
        Some(cursor) => page.after(cursor),
        None => page,
    };
    Ok(match before {
        Some(cursor) => page.before(cursor),
        None => page,
    })
}

fn cursor(ctx: &Context<'_>, name: &str) -> ServerResult<Option<Cursor>> {
    let (_, text) = ctx.param_value::<Option<String>>(name, None)?;
    text.map(|text| text.parse())
        .transpose()
        .map_err(|error: ListError| mistake(ctx, &format!("{name}: {error}")))
}

/// A number of documents; `None` where none is given and there is no default.
pub(crate) fn count(
    ctx: &Context<'_>,
    name: &str,
    default: Option<u32>,
    most: u32,
) -> ServerResult<Option<u32>> {
    let (_, number) = ctx.param_value::<Option<i64>>(name, None)?;
    let Some(number) = number else {
        return Ok(default.map(|default| default.min(most)));
    };
    let Ok(number) = u64::try_from(number) else {
        return Err(mistake(
            ctx,
            &format!("{name} is {number}, and cannot be negative"),
        ));
    };
    match u32::try_from(number) {
        Ok(number) if number <= most => Ok(Some(number)),
        _ => Err(mistake(
            ctx,
            &format!("{name} is {number}, and at most {most}; ask for the rest in further pages"),
        )),
    }
}

/// An argument as it was given.
pub(crate) struct Given(pub(crate) Value);

pub(crate) fn argument(ctx: &Context<'_>, name: &str) -> ServerResult<Given> {
    ctx.param_value(name, None).map(|(_, given)| given)
}

/// The type of an argument is that of the table: the library has checked it by its name.
impl InputType for Given {
    type RawValueType = Self;

    fn type_name() -> Cow<'static, str> {
        Cow::Borrowed("JSON")
    }

    fn create_type_info(_: &mut Registry) -> String {
        Self::qualified_type_name()
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        value
            .map_or(Ok(Self(Value::Null)), |value| Ok(Self(value)))
            .map_err(InputValueError::<Self>::propagate::<Self>)
    }

    fn to_value(&self) -> Value {
        self.0.clone()
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }
}

/// An error of whom asked.
pub(crate) fn mistake(ctx: &Context<'_>, text: &str) -> ServerError {
    let mut error = error(text, "BAD_USER_INPUT");
    error.locations.push(ctx.item.pos);
    error
}

/// An error of a read: of whom asked, or of the server, which is the source of it.
pub(crate) fn failed(ctx: &Context<'_>, error: ListError) -> ServerError {
    match error {
        ListError::Read(error) => {
            async_graphql::Error::new_with_source(error).into_server_error(ctx.item.pos)
        }
        error => mistake(ctx, &error.to_string()),
    }
}
