//! The arguments of a root field, read as a list or a page, and errors of a root field.

use std::borrow::Cow;
use std::sync::Arc;

use async_graphql::registry::Registry;
use async_graphql::{
    Context, InputType, InputValueError, InputValueResult, Pos, ServerError, ServerResult, Value,
};

use crate::budget::Budget;
use crate::error::error;
use crate::request::direct::arguments::BoundArguments;
use crate::schema::input;
use fraiseql_runtime::__graphql::{Handle, Scope};
use fraiseql_runtime::Error;
use fraiseql_runtime::list::{Cursor, List, ListError, Page};

/// The default number of documents of a field.
pub(crate) const DEFAULT_LIMIT: u32 = 20;
/// The default for the maximum number of documents of a field.
pub(crate) const DEFAULT_MAX_PAGE: u32 = 100;

/// The arguments of a root field: of one that is being resolved, or of one that is answered directly.
pub(crate) trait Arguments {
    /// The value of an argument, not converted to a Rust type, and its position. Null if it is omitted.
    fn value(&self, name: &str) -> ServerResult<(Pos, Value)>;

    /// The position of the field.
    fn pos(&self) -> Pos;
}

impl Arguments for Context<'_> {
    fn value(&self, name: &str) -> ServerResult<(Pos, Value)> {
        let (pos, RawArgument(value)) = self.param_value(name, None)?;
        Ok((pos, value))
    }

    fn pos(&self) -> Pos {
        self.item.pos
    }
}

/// Errors are not reported from here: positions are not needed.
impl Arguments for BoundArguments<'_> {
    fn value(&self, name: &str) -> ServerResult<(Pos, Value)> {
        Ok((Pos::default(), Self::value(self, name)))
    }

    fn pos(&self) -> Pos {
        Pos::default()
    }
}

/// An argument as a value of GraphQL. Null if it is omitted.
pub(crate) fn raw(arguments: &dyn Arguments, name: &str) -> ServerResult<Value> {
    let (_, value) = arguments.value(name)?;
    Ok(value)
}

/// An argument as a value of Rust. None if it is null or omitted.
pub(crate) fn typed<T: InputType>(
    arguments: &dyn Arguments,
    name: &str,
) -> ServerResult<Option<T>> {
    let (pos, value) = arguments.value(name)?;
    let parsed = <Option<T> as InputType>::parse(Some(value));
    parsed.map_err(|error| error.into_server_error(pos))
}

/// The list that the arguments `where` and `orderBy` describe.
pub(crate) fn list(arguments: &dyn Arguments, handle: Handle, scope: Scope) -> ServerResult<List> {
    let bad = |error: String| bad_input(arguments, &error);
    let mut list = List::scoped(handle, scope);
    let value = raw(arguments, "where")?;
    if value != Value::Null {
        list = list.filter(input::filter(handle.view, &value).map_err(bad)?);
    }
    let value = raw(arguments, "orderBy")?;
    let order = input::order(handle.view, &value).map_err(bad)?;
    Ok(order.into_iter().fold(list, List::order_by))
}

/// The page that the arguments `first`, `after`, `last` and `before` describe. Its size is `max` at
/// most.
pub(crate) fn page(arguments: &dyn Arguments, max: u32) -> ServerResult<Page> {
    let first = count(arguments, "first", None, max)?;
    let last = count(arguments, "last", None, max)?;
    let after = cursor(arguments, "after")?;
    let before = cursor(arguments, "before")?;
    let page = match (first, last) {
        (Some(_), Some(_)) => {
            return Err(bad_input(arguments, "first and last cannot both be given"));
        }
        (None, Some(last)) => Page::last(last),
        (first, None) => Page::first(first.unwrap_or(DEFAULT_LIMIT.min(max))),
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

fn cursor(arguments: &dyn Arguments, name: &str) -> ServerResult<Option<Cursor>> {
    let Some(text) = typed::<String>(arguments, name)? else {
        return Ok(None);
    };
    match text.parse() {
        Ok(cursor) => Ok(Some(cursor)),
        Err(error) => Err(bad_input(arguments, &format!("{name}: {error}"))),
    }
}

/// A number of documents, `max` at most. `None` if the argument is omitted and has no default.
pub(crate) fn count(
    arguments: &dyn Arguments,
    name: &str,
    default: Option<u32>,
    max: u32,
) -> ServerResult<Option<u32>> {
    let Some(number) = typed::<i64>(arguments, name)? else {
        // The default of the schema may exceed the maximum that the application sets.
        return Ok(default.map(|default| default.min(max)));
    };
    let Ok(number) = u64::try_from(number) else {
        let message = format!("{name} is {number}, and cannot be negative");
        return Err(bad_input(arguments, &message));
    };
    match u32::try_from(number) {
        Ok(number) if number <= max => Ok(Some(number)),
        _ => {
            let message =
                format!("{name} is {number}, and at most {max}; ask for the rest in further pages");
            Err(bad_input(arguments, &message))
        }
    }
}

/// An argument as a value of GraphQL. Null if it is omitted.
struct RawArgument(Value);

/// The type of an argument in the schema is that of the view, against which it has been validated.
/// The type name here is not used.
impl InputType for RawArgument {
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

/// An error that the client has made.
pub(crate) fn bad_input(arguments: &dyn Arguments, message: &str) -> ServerError {
    let mut error = error(message, "BAD_USER_INPUT");
    error.locations.push(arguments.pos());
    error
}

/// An error of a list: of the client, of the request's budget, or of the database. The latter has a
/// source, which marks it as internal.
pub(crate) fn list_error(
    ctx: &Context<'_>,
    error: ListError,
    budget: Option<&Arc<Budget>>,
) -> ServerError {
    match (error, budget) {
        (ListError::Read(Error::TooManyBytes { .. }), Some(budget)) => budget.error(ctx.item.pos),
        (error, _) => read_error(ctx, error),
    }
}

fn read_error(ctx: &Context<'_>, error: ListError) -> ServerError {
    match error {
        ListError::Read(error) => {
            async_graphql::Error::new_with_source(error).into_server_error(ctx.item.pos)
        }
        error => bad_input(ctx, &error.to_string()),
    }
}
