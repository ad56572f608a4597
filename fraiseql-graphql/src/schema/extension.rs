//! Fields of the application at the object types of documents.

use std::any::type_name;
use std::borrow::Cow;
use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::Mutex;

use async_graphql::parser::types::Field;
use async_graphql::registry::{MetaField, MetaType, Registry};
use async_graphql::{
    Context, ContextSelectionSet, ObjectType, OutputType, Positioned, ServerResult, Value,
};
use futures_util::future::BoxFuture;
use serde::de::DeserializeOwned;

use super::types;
use fraiseql_runtime::__graphql::{BigInts, lock};
use fraiseql_runtime::schema::Shape;
use fraiseql_runtime::{Embed, Projection, Selection};

/// Adds the fields of `F` to the object type of the struct `T`: fields that are computed for each
/// request, such as what the viewer may do with a document. It takes the place of async-graphql's
/// `#[ComplexObject]`.
///
/// `F` is a part of the same base table, with the fields of the document that its methods need, and an
/// `#[Object]` of async-graphql. With `shape_of`, the compiler checks that the document has what is
/// needed. The fields of the part itself are not fields of the schema.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
/// use async_graphql::{Context, EmptyMutation, EmptySubscription, Object, Request, Schema};
/// use fraiseql_graphql::{Prepared, Query, TvExtended};
///
/// #[derive(TView)]
/// pub struct Post { pub id: i32, pub title: String, pub author_id: i32 }
///
/// #[derive(Embed)]
/// #[tview(table = "tb_post", shape_of = Post)]
/// pub struct PostFields { author_id: i32 }
///
/// struct Viewer(i32);
///
/// #[Object]
/// impl PostFields {
///     /// Whether the viewer may change the post.
///     async fn viewer_can_edit(&self, ctx: &Context<'_>) -> bool {
///         ctx.data_opt::<Viewer>().is_some_and(|viewer| viewer.0 == self.author_id)
///     }
/// }
/// # fn main() { on("CREATE TABLE tb_post (id int4 PRIMARY KEY, title text NOT NULL, author_id int4 NOT NULL);
/// #     INSERT INTO tb_post VALUES (7, 'Notes', 1), (8, 'More', 2)", async |pool| {
/// # migrate::<Post>(&pool).await;
/// # sync_all_posts(&pool).await?;
///
/// let schema = Schema::build(Query::<(Post,)>::new(pool), EmptyMutation, EmptySubscription)
///     .register_output_type::<TvExtended<Post, PostFields>>()
///     .extension(Prepared::default())
///     .finish();
///
/// let request = Request::new("{ posts { title viewerCanEdit } }").data(Viewer(2));
/// let response = schema.execute(request).await;
/// assert_eq!(
///     serde_json::to_string(&response)?,
///     r#"{"data":{"posts":[{"title":"Notes","viewerCanEdit":false},{"title":"More","viewerCanEdit":true}]}}"#
/// );
/// # Ok(()) }) }
/// ```
///
/// The fields are there wherever the type is: in root fields, in GraphQL connections, in
/// [`TvDoc`](crate::TvDoc) and [`TvList`](crate::TvList), and if `T` is a part, in every document that
/// has it. They have arguments, guards, and values of any type, as in every `#[Object]`. The fields of
/// all documents of a list are resolved concurrently, so that a `DataLoader` can batch them.
///
/// A query that selects none of them is answered as before: by copying bytes. For a query that does,
/// the selected fields and those of `F` are parsed, and it is never
/// [answered directly](crate::Prepared#method.direct).
///
/// # Panics
/// [`register_output_type`](async_graphql::SchemaBuilder::register_output_type) panics if `T` does not
/// have a field of `F`, or has a field with the name of one of its methods; or if another type adds a
/// field of this name to `T`.
pub struct TvExtended<T, F> {
    of: PhantomData<fn() -> (T, F)>,
}

/// The fields that a type adds to an object type.
pub(crate) struct Extension {
    /// The path of the Rust type.
    name: &'static str,
    /// The fields of a document that it needs.
    pub(crate) needs: Selection,
    pub(crate) resolve: ResolveField,
}

/// Resolves a field of one document, of which the value has what the extension needs.
pub(crate) type ResolveField =
    for<'a> fn(Value, &'a Context<'a>) -> BoxFuture<'a, ServerResult<Value>>;

/// The extensions of the process, by the id of the shape and the name of the field.
///
/// What a schema has of them is in its registry, and a query that selects anything else is not valid.
/// It is here that a resolver finds them, wherever in a document it meets the type.
static EXTENSIONS: Mutex<Option<HashMap<(&str, String), &Extension>>> = Mutex::new(None);

/// The extension that adds a field to a shape.
pub(crate) fn extension(shape: &Shape, field: &str) -> Option<&'static Extension> {
    let extensions = lock(&EXTENSIONS);
    let key = (shape.id, field.to_owned());
    extensions.as_ref()?.get(&key).copied()
}

fn resolve_field<'a, F: Embed + DeserializeOwned + ObjectType>(
    document: Value,
    ctx: &'a Context<'a>,
) -> BoxFuture<'a, ServerResult<Value>> {
    Box::pin(async move {
        let json = document.into_json();
        let object: F = json.and_then(serde_json::from_value).map_err(|error| {
            async_graphql::Error::new_with_source(error).into_server_error(ctx.item.pos)
        })?;
        let value = object.resolve_field(ctx).await?;
        Ok(value.unwrap_or_default())
    })
}

impl<T: Embed, F: Embed + DeserializeOwned + ObjectType> TvExtended<T, F> {
    /// The fields of `F`, whose object type is removed from the schema.
    fn fields(registry: &mut Registry) -> Vec<(String, MetaField)> {
        F::create_type_info(registry);
        match registry.types.remove(&*F::type_name()) {
            Some(MetaType::Object { fields, .. }) => fields.into_iter().collect(),
            _ => Vec::new(),
        }
    }

    /// Makes the fields known to resolvers.
    fn publish(fields: &[(String, MetaField)]) {
        let extension: &'static Extension = Box::leak(Box::new(Extension {
            name: type_name::<F>(),
            needs: Projection::all::<F>().selection().clone(),
            resolve: resolve_field::<F>,
        }));
        let mut extensions = lock(&EXTENSIONS);
        let extensions = extensions.get_or_insert_default();
        for (field, _) in fields {
            let key = (T::SHAPE.id, field.clone());
            let known = extensions.entry(key).or_insert(extension);
            assert!(
                known.name == extension.name,
                "`{}` and `{}` both add a field `{field}` to `{}`",
                known.name,
                extension.name,
                T::SHAPE.type_name,
            );
        }
    }
}

impl<T: Embed, F: Embed + DeserializeOwned + ObjectType> OutputType for TvExtended<T, F> {
    fn type_name() -> Cow<'static, str> {
        Cow::Borrowed(T::SHAPE.type_name)
    }

    fn create_type_info(registry: &mut Registry) -> String {
        let of = T::SHAPE.type_name;
        let needs = Projection::all::<F>();
        if let Err(error) = Projection::of_request(T::SHAPE, needs.selection(), BigInts::Numbers) {
            panic!("`{}` needs fields of `{of}`: {error}", type_name::<F>());
        }
        types::object(registry, T::SHAPE);
        let own = Self::fields(registry);
        Self::publish(&own);
        if let Some(MetaType::Object { fields, .. }) = registry.types.get_mut(of) {
            for (name, field) in own {
                assert!(
                    T::SHAPE.shown_fields().all(|field| field.json != name),
                    "`{of}` has a field `{name}` already; give that of `{}` another name, with \
                     #[graphql(name = \"..\")]",
                    type_name::<F>(),
                );
                fields.insert(name, field);
            }
        }
        format!("{of}!")
    }

    /// Not called: there are no values of this type.
    async fn resolve(
        &self,
        _: &ContextSelectionSet<'_>,
        _: &Positioned<Field>,
    ) -> ServerResult<Value> {
        Ok(Value::Null)
    }
}
