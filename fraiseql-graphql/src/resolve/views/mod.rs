//! Root fields that read the views of an application: what they are (`fields`), what they take
//! (`arguments`), what they answer (`resolve`).

pub(crate) mod arguments;
pub(crate) mod fields;
pub(crate) mod root_field;

use std::borrow::Cow;
use std::collections::HashMap;
use std::marker::PhantomData;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::Field;
use async_graphql::registry::{MetaTypeId, Registry};
use async_graphql::resolver_utils::resolve_container;
use async_graphql::{
    ContainerType, Context, ContextSelectionSet, ObjectType, OutputType, Positioned, ServerResult,
    Value,
};

use self::arguments::MAX_PAGE;
use self::fields::{Kind, fields, names};
use crate::request::root_field_dedup::RootFieldDedup;
use crate::resolve::connection;
use crate::schema::types;
use fraiseql_runtime::__graphql::Handle;
use fraiseql_runtime::Readers;
use fraiseql_runtime::TView;
use fraiseql_runtime::schema::Shape;

/// Root fields that read the views of an application: for a view `Post`,
///
/// ```graphql
/// post(id: ID!): Post
/// posts(where: PostWhere, orderBy: [PostOrderBy!], limit: Int! = 20, offset: Int! = 0): [Post!]!
/// postsConnection(first: Int, after: String, last: Int, before: String,
///                 where: PostWhere, orderBy: [PostOrderBy!]): PostConnection!
/// ```
///
/// Each field is one statement. The names are those of the view's `entity` and `plural`.
///
/// [`Query`] is a root that has nothing else. In another root they stand like this:
///
/// ```
/// use async_graphql::{MergedObject, Object};
/// use fraiseql_runtime::TView;
/// use fraiseql_graphql::Views;
///
/// #[derive(TView)]
/// struct Post { id: i64, title: String }
///
/// struct Own;
///
/// #[Object]
/// impl Own {
///     async fn version(&self) -> &str {
///         env!("CARGO_PKG_VERSION")
///     }
/// }
///
/// #[derive(MergedObject)]
/// struct Query(Views<(Post,)>, Own);
///
/// fn query(pool: sqlx::PgPool) -> Query {
///     Query(Views::new(pool).max_page(50), Own)
/// }
/// # fn main() {}
/// ```
///
/// All documents of these views can be read by whoever can ask. Where that is not right, the root
/// field is to be written by hand, with a [`List`](fraiseql_runtime::list::List) that is filtered by who asks.
///
/// In the complexity of a query, a list counts as many times what is asked of a document as it may
/// have documents.
pub struct Views<V> {
    pub(crate) readers: Readers,
    fields: HashMap<String, Root>,
    pub(crate) max_page: u32,
    of: PhantomData<fn() -> V>,
}

/// A query root that is made of [`Views`] alone. Its type is called `Query`.
///
/// ```
/// use async_graphql::{EmptyMutation, EmptySubscription, Schema};
/// use fraiseql_runtime::TView;
/// use fraiseql_graphql::{Prepared, Query};
///
/// #[derive(TView)]
/// struct Post { id: i64, title: String }
///
/// type Served = Schema<Query<(Post,)>, EmptyMutation, EmptySubscription>;
///
/// fn schema(pool: sqlx::PgPool) -> Served {
///     Schema::build(Query::new(pool), EmptyMutation, EmptySubscription)
///         .extension(Prepared::default())
///         .finish()
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # let schema = schema(sqlx::PgPool::connect_lazy("postgres://").unwrap());
/// # assert!(schema.sdl().contains("post(id: Int!): Post"));
/// # }
/// ```
pub struct Query<V> {
    views: Views<V>,
}

/// The views that have root fields: a tuple of them, `(User, Post, Comment)`.
pub trait ViewSet: Send + Sync + 'static {
    #[doc(hidden)]
    fn members() -> Vec<Member>;
}

/// A view among others.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct Member {
    handle: Handle,
    page: fn() -> &'static Shape,
}

impl Member {
    fn of<T: TView>() -> Self {
        Self {
            handle: T::handle(),
            page: connection::shape::<T>,
        }
    }
}

macro_rules! tuples {
    ($($name:ident)*) => {
        impl<$($name: TView),*> ViewSet for ($($name,)*) {
            fn members() -> Vec<Member> {
                vec![$(Member::of::<$name>()),*]
            }
        }
    };
}

tuples!(A);
tuples!(A B);
tuples!(A B C);
tuples!(A B C D);
tuples!(A B C D E);
tuples!(A B C D E F);
tuples!(A B C D E F G);
tuples!(A B C D E F G H);
tuples!(A B C D E F G H I);
tuples!(A B C D E F G H I J);
tuples!(A B C D E F G H I J K);
tuples!(A B C D E F G H I J K L);
tuples!(A B C D E F G H I J K L M);
tuples!(A B C D E F G H I J K L M N);
tuples!(A B C D E F G H I J K L M N O);
tuples!(A B C D E F G H I J K L M N O P);

/// A field of the root.
#[derive(Clone, Copy)]
pub(crate) struct Root {
    pub(crate) member: Member,
    pub(crate) kind: Kind,
}

impl<V: ViewSet> Views<V> {
    /// Root fields that read from this pool, or by [`Readers`], which lend its connections to each
    /// other.
    ///
    /// # Panics
    /// When two views have fields of one name.
    #[must_use]
    pub fn new(readers: impl Into<Readers>) -> Self {
        let mut fields = HashMap::new();
        for member in V::members() {
            for (name, kind) in names(member.handle.view) {
                let twin = fields.insert(name.clone(), Root { member, kind });
                assert!(
                    twin.is_none(),
                    "there would be the root field `{name}` twice; give `{}` another name with \
                     #[tview(entity = \"..\", plural = \"..\")]",
                    member.handle.view.shape.name,
                );
            }
        }
        Self {
            readers: readers.into(),
            fields,
            max_page: MAX_PAGE,
            of: PhantomData,
        }
    }

    /// The most documents that one field gives: 100 unless told.
    #[must_use]
    pub fn max_page(self, documents: u32) -> Self {
        Self {
            max_page: documents,
            ..self
        }
    }
}

impl<V: ViewSet> Query<V> {
    /// As [`Views::new`].
    ///
    /// # Panics
    /// As [`Views::new`].
    #[must_use]
    pub fn new(readers: impl Into<Readers>) -> Self {
        Views::new(readers).into()
    }
}

impl<V> From<Views<V>> for Query<V> {
    fn from(views: Views<V>) -> Self {
        Self { views }
    }
}

impl<V: ViewSet> OutputType for Query<V> {
    fn type_name() -> Cow<'static, str> {
        Cow::Borrowed("Query")
    }

    fn create_type_info(registry: &mut Registry) -> String {
        root_type::<Self, V>(registry)
    }

    async fn resolve(
        &self,
        ctx: &ContextSelectionSet<'_>,
        _field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        resolve_container(ctx, self).await
    }
}

impl<V: ViewSet> ObjectType for Query<V> {}

impl<V: ViewSet> ContainerType for Query<V> {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        self.views.resolve_field(ctx).await
    }
}

impl<V> std::fmt::Debug for Query<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Query").field("views", &self.views).finish()
    }
}

impl<V> std::fmt::Debug for Views<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut names: Vec<_> = self.fields.keys().collect();
        names.sort();
        f.debug_struct("Views")
            .field("fields", &names)
            .field("max_page", &self.max_page)
            .finish_non_exhaustive()
    }
}

/// The fields are all that matters of it: where it stands in another object, it is no type itself.
/// Its name is one that no other type has.
impl<V: ViewSet> OutputType for Views<V> {
    fn type_name() -> Cow<'static, str> {
        let names: Vec<_> = V::members()
            .iter()
            .map(|member| member.handle.view.shape.type_name)
            .collect();
        Cow::Owned(format!("{}_Views", names.join("_")))
    }

    fn create_type_info(registry: &mut Registry) -> String {
        root_type::<Self, V>(registry)
    }

    async fn resolve(
        &self,
        ctx: &ContextSelectionSet<'_>,
        _field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        resolve_container(ctx, self).await
    }
}

fn root_type<T: OutputType, V: ViewSet>(registry: &mut Registry) -> String {
    registry.create_output_type::<T, _>(MetaTypeId::Object, |registry| {
        let fields: IndexMap<_, _> = V::members()
            .iter()
            .flat_map(|member| fields(registry, *member))
            .map(|field| (field.name.clone(), field))
            .collect();
        types::meta_object(&T::type_name(), std::any::type_name::<T>(), None, fields)
    })
}

impl<V: ViewSet> ObjectType for Views<V> {}

impl<V: ViewSet> ContainerType for Views<V> {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        let Some(root) = self.fields.get(ctx.item.node.name.node.as_str()) else {
            return Ok(None);
        };
        let resolved = RootFieldDedup::resolve(ctx, self.root(ctx, *root)).await;
        resolved.map(Some).map_err(|error| {
            if error.path.is_empty() {
                ctx.set_error_path(error)
            } else {
                error
            }
        })
    }
}
