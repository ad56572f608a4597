//! Enums as arguments and values of resolvers.

use std::borrow::Cow;

use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::{
    ContextSelectionSet, InputType, InputValueError, InputValueResult, Name, OutputType,
    Positioned, ServerResult, Value,
};

use super::types;
use fraiseql_runtime::TEnum;

/// An enum with `#[derive(TEnum)]` as an argument, as a field of an input object, or as the value of a
/// resolver. Its GraphQL type is the one that documents have.
///
/// ```
/// use async_graphql::{EmptySubscription, InputObject, Object, Schema};
/// use fraiseql_runtime::{TEnum, TView};
/// use fraiseql_graphql::{Query, TvEnum};
///
/// #[derive(Clone, Copy, Debug, PartialEq, TEnum)]
/// pub enum Status { Draft, Published }
///
/// #[derive(TView)]
/// pub struct Post { pub id: i32, pub status: Status }
///
/// #[derive(InputObject)]
/// struct PostInput { title: String, status: TvEnum<Status> }
///
/// struct Mutation;
///
/// #[Object]
/// impl Mutation {
///     async fn create_post(&self, post: PostInput) -> bool {
///         let TvEnum(status) = post.status;
///         status == Status::Published
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), serde_json::Error> {
/// # let pool = sqlx::PgPool::connect_lazy("postgres://").unwrap();
/// let schema = Schema::build(Query::<(Post,)>::new(pool), Mutation, EmptySubscription).finish();
/// let answer = schema
///     .execute(r#"mutation { createPost(post: {title: "Notes", status: PUBLISHED}) }"#)
///     .await;
/// assert_eq!(serde_json::to_string(&answer)?, r#"{"data":{"createPost":true}}"#);
/// # Ok(()) }
/// ```
///
/// An enum can have `#[derive(async_graphql::Enum)]` beside `#[derive(TEnum)]`, and is then an
/// argument without this type. Both derives write the variants in SCREAMING_SNAKE_CASE; where one of
/// them is told another name, the other has to be told the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TvEnum<T>(pub T);

impl<T> From<T> for TvEnum<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T: TEnum> TvEnum<T> {
    fn name(&self) -> Value {
        Value::Enum(Name::new(self.0.as_str()))
    }
}

impl<T: TEnum + Send + Sync> InputType for TvEnum<T> {
    type RawValueType = Self;

    fn type_name() -> Cow<'static, str> {
        Cow::Borrowed(T::ENUM.type_name)
    }

    fn create_type_info(registry: &mut Registry) -> String {
        format!("{}!", types::enumeration(registry, T::ENUM))
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        // A variable has the name as a string.
        let name = match &value {
            Some(Value::Enum(name)) => name.as_str(),
            Some(Value::String(name)) => name,
            _ => return Err(InputValueError::expected_type(value.unwrap_or_default())),
        };
        T::from_name(name).map(Self).ok_or_else(|| {
            let names: Vec<&str> = T::ENUM
                .variants
                .iter()
                .map(|variant| variant.json)
                .collect();
            InputValueError::custom(format!("`{name}` is not one of {}", names.join(", ")))
        })
    }

    fn to_value(&self) -> Value {
        self.name()
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }
}

impl<T: TEnum + Send + Sync> OutputType for TvEnum<T> {
    fn type_name() -> Cow<'static, str> {
        <Self as InputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <Self as InputType>::create_type_info(registry)
    }

    async fn resolve(
        &self,
        _: &ContextSelectionSet<'_>,
        _: &Positioned<Field>,
    ) -> ServerResult<Value> {
        Ok(self.name())
    }
}
