//! `TvAny`: a document of any member of a union, as the value of a resolver.

use std::borrow::Cow;
use std::marker::PhantomData;

use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::{ContextSelectionSet, OutputType, Positioned, ServerResult, Value};

use crate::resolve::document::{Content, TvDoc};
use crate::resolve::document_writer::DocumentWriter;
use crate::schema::union;
use fraiseql_runtime::schema::Shape;
use fraiseql_runtime::{Embed, MemberOf, TUnion};

/// A document of any member of the union or interface `U`, as the value of a resolver. It is made of the
/// [`TvDoc`] of a member. The fields that the query selects of this member are copied from the stored
/// bytes.
///
/// Its GraphQL type is that of the enum with `#[derive(TUnion)]`.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
/// use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};
/// use fraiseql_graphql::{Prepared, TvAny, TvDoc};
/// use fraiseql_runtime::TUnion;
///
/// #[derive(TView)]
/// pub struct Post { pub id: i32, pub title: String }
///
/// #[derive(TView)]
/// pub struct User { pub id: i32, pub name: String }
///
/// #[derive(TUnion)]
/// pub enum Found { Post(Post), User(User) }
///
/// struct Query(PgPool);
///
/// #[Object]
/// impl Query {
///     async fn latest(&self) -> async_graphql::Result<Vec<TvAny<Found>>> {
///         let post = TvDoc::<Post>::find(&self.0, 7).await?;
///         let user = TvDoc::<User>::find(&self.0, 1).await?;
///         Ok(post.map(TvAny::from).into_iter().chain(user.map(TvAny::from)).collect())
///     }
/// }
/// # fn main() { on("CREATE TABLE tb_post (id int4 PRIMARY KEY, title text NOT NULL);
/// #     CREATE TABLE tb_user (id int4 PRIMARY KEY, name text NOT NULL);
/// #     INSERT INTO tb_post VALUES (7, 'Notes'); INSERT INTO tb_user VALUES (1, 'Ada')", async |pool| {
/// # migrate::<Post>(&pool).await;
/// # migrate::<User>(&pool).await;
/// # sync_all_posts(&pool).await?;
/// # sync_all_users(&pool).await?;
///
/// let schema = Schema::build(Query(pool), EmptyMutation, EmptySubscription)
///     .extension(Prepared::default())
///     .finish();
/// let response = schema
///     .execute("{ latest { __typename ... on Post { title } ... on User { name } } }")
///     .await;
/// assert_eq!(
///     serde_json::to_string(&response)?,
///     r#"{"data":{"latest":[{"__typename":"Post","title":"Notes"},{"__typename":"User","name":"Ada"}]}}"#
/// );
/// # Ok(()) }) }
/// ```
///
/// A document of another struct does not compile:
///
/// ```compile_fail,E0277
/// use fraiseql_graphql::{TvAny, TvDoc};
/// use fraiseql_runtime::{TUnion, TView};
///
/// #[derive(TView)]
/// pub struct Post { pub id: i32 }
///
/// #[derive(TView)]
/// pub struct User { pub id: i32 }
///
/// #[derive(TUnion)]
/// pub enum Found { Post(Post) }
///
/// fn found(user: TvDoc<User>) -> TvAny<Found> {
///     user.into() // `User` is not a member of `Found`
/// }
/// # fn main() {}
/// ```
///
/// An interface that no resolver returns is registered by
/// [`register_output_type`](async_graphql::SchemaBuilder::register_output_type): then fragments on it
/// can be written wherever its members are, such as in the root fields of [`Views`](crate::Views).
pub struct TvAny<U> {
    content: Content,
    shape: &'static Shape,
    of: PhantomData<fn() -> U>,
}

impl<U> TvAny<U> {
    /// The document's JSON.
    #[must_use]
    pub fn json(&self) -> &[u8] {
        self.content.json()
    }
}

impl<U, T: Embed + MemberOf<U>> From<TvDoc<T>> for TvAny<U> {
    fn from(document: TvDoc<T>) -> Self {
        Self {
            content: document.into_content(),
            shape: T::SHAPE,
            of: PhantomData,
        }
    }
}

impl<U: TUnion> OutputType for TvAny<U> {
    fn type_name() -> Cow<'static, str> {
        Cow::Borrowed(U::UNION.type_name)
    }

    fn create_type_info(registry: &mut Registry) -> String {
        format!("{}!", union::union(registry, U::UNION))
    }

    fn introspection_type_name(&self) -> Cow<'static, str> {
        Cow::Borrowed(self.shape.type_name)
    }

    async fn resolve(
        &self,
        ctx: &ContextSelectionSet<'_>,
        _field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        let mut writer = DocumentWriter::of(ctx, self.shape)?;
        writer.document(self.content.json(), None)?;
        writer.finish().await
    }
}
