//! Object types of the schema that consist of root fields.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::Field;
use async_graphql::registry::{MetaTypeId, Registry};
use async_graphql::resolver_utils::resolve_container;
use async_graphql::{
    CacheControl, ContainerType, Context, ContextSelectionSet, ObjectType, OutputType, Positioned,
    ServerResult, Value,
};

use crate::request::direct::planning::allow_root;
use crate::request::tenant::{RequestData, TenantSource};
use crate::resolve::federation::root::Federated;
use crate::resolve::node::WithNode;
use crate::resolve::views::arguments::DEFAULT_MAX_PAGE;
use crate::resolve::views::cache::ViewHints;
use crate::resolve::views::fields::{definitions, names};
use crate::resolve::views::root_field::{Reads, ViewField};
use crate::resolve::views::view_set::{UntenantedViews, ViewSet, ViewsOfTenant};
use crate::schema::types;
use fraiseql_runtime::{Key, Readers, TView};

/// Root fields that read the views of an application. A view `Post` has:
///
/// ```graphql
/// post(id: ID!): Post
/// posts(where: PostWhere, orderBy: [PostOrderBy!], limit: Int! = 20, offset: Int! = 0): [Post!]!
/// postsConnection(first: Int, after: String, last: Int, before: String,
///                 where: PostWhere, orderBy: [PostOrderBy!]): PostConnection!
/// ```
///
/// Each field is one statement; a second one counts the documents of a connection if `totalCount` is selected. The names are the view's `entity` and `plural`.
///
/// [`Query`] is a query type that has only these fields. To add fields of your own, merge them:
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
/// Every document of these views can be read by every client that can send a request, of views with
/// `#[tview(tenant)]` that of its tenant: see [`scoped`](Self::scoped). If that is not acceptable, write the root field by hand, with a [`List`](fraiseql_runtime::list::List) that
/// is filtered for the client.
///
/// The complexity of a list is the number of documents that it may return, multiplied by the
/// complexity of the fields that are selected of one.
pub struct Views<V> {
    reads: Reads,
    fields: HashMap<String, ViewField>,
    of: PhantomData<fn() -> V>,
}

/// A query type that consists of [`Views`] only. Its name in the schema is `Query`.
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
/// # assert!(schema.sdl().contains("post(id: BigInt!): Post"));
/// # }
/// ```
pub struct Query<V> {
    views: Views<V>,
}

impl<V: ViewSet> Views<V> {
    /// Creates root fields that read from a pool, or with [`Readers`], which hand a connection from
    /// one read to the next.
    ///
    /// Views with a tenant do not compile here: see [`scoped`](Self::scoped).
    ///
    /// ```compile_fail,E0277
    /// # use fraiseql_graphql::Query;
    /// # use fraiseql_runtime::TView;
    /// #[derive(TView)]
    /// struct Ticket { id: i32, #[tview(tenant)] org_id: i32 }
    ///
    /// fn query(pool: sqlx::PgPool) -> Query<(Ticket,)> {
    ///     Query::new(pool) // a view of `(Ticket,)` has a tenant, and these root fields name none
    /// }
    /// # fn main() {}
    /// ```
    ///
    /// # Panics
    /// If two views have root fields of the same name.
    #[must_use]
    pub fn new(readers: impl Into<Readers>) -> Self
    where
        V: UntenantedViews,
    {
        Self::of_tenant(readers.into(), None)
    }

    /// Creates root fields that read the documents of one tenant, which a function takes from the data
    /// of each request. Views without a tenant are read as by [`new`](Self::new).
    ///
    /// A request without a tenant gets an error with the code `UNAUTHENTICATED` for each field of a
    /// view that has one, and no document. Direct answers and cached queries hold no tenant: it is
    /// taken from each request anew.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
    /// use async_graphql::{EmptyMutation, EmptySubscription, Request, Schema};
    /// use fraiseql_graphql::{Prepared, Query};
    ///
    /// #[derive(TView)]
    /// pub struct Ticket { pub id: i32, #[tview(tenant)] pub org_id: i32 }
    ///
    /// struct Session { org: i32 }
    ///
    /// # fn main() { on("CREATE TABLE tb_ticket (id int4 PRIMARY KEY, org_id int4 NOT NULL);
    /// #     INSERT INTO tb_ticket VALUES (7, 1), (8, 2)", async |pool| {
    /// # migrate::<Ticket>(&pool).await;
    /// # sync_all_tickets(&pool).await?;
    /// let query = Query::<(Ticket,)>::scoped(pool, |ctx| ctx.data::<Session>().map(|s| s.org));
    /// let schema = Schema::build(query, EmptyMutation, EmptySubscription)
    ///     .extension(Prepared::default())
    ///     .finish();
    ///
    /// let request = Request::new("{ tickets { id } ticket(id: 8) { id } }").data(Session { org: 1 });
    /// let response = schema.execute(request).await;
    /// assert_eq!(
    ///     serde_json::to_string(&response)?,
    ///     r#"{"data":{"tickets":[{"id":7}],"ticket":null}}"#
    /// );
    ///
    /// let response = schema.execute("{ tickets { id } }").await;
    /// assert_eq!(response.errors[0].message, "the request is not authenticated, and this needs a tenant");
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Panics
    /// If two views have root fields of the same name.
    #[must_use]
    pub fn scoped<T: Key>(
        readers: impl Into<Readers>,
        tenant: impl Fn(&RequestData<'_>) -> async_graphql::Result<T> + Send + Sync + 'static,
    ) -> Self
    where
        V: ViewsOfTenant<T>,
    {
        Self::of_tenant(readers.into(), Some(TenantSource::of_request(tenant)))
    }

    /// Creates root fields that read the documents of all tenants, for a schema of operators.
    ///
    /// # Panics
    /// If two views have root fields of the same name.
    #[must_use]
    pub fn across_tenants(readers: impl Into<Readers>) -> Self {
        Self::of_tenant(readers.into(), Some(TenantSource::across()))
    }

    fn of_tenant(readers: Readers, tenant: Option<TenantSource>) -> Self {
        let mut fields = HashMap::new();
        for member in V::members() {
            for (name, kind) in names(member.handle.view) {
                let field = ViewField { view: member, kind };
                let other = fields.insert(name.clone(), field);
                assert!(
                    other.is_none(),
                    "two views have the root field `{name}`; give `{}` another name with \
                     #[tview(entity = \"..\", plural = \"..\")]",
                    member.handle.view.shape.name,
                );
            }
        }
        Self {
            reads: Reads {
                readers,
                max_page: DEFAULT_MAX_PAGE,
                tenant,
                cache: ViewHints::default(),
            },
            fields,
            of: PhantomData,
        }
    }

    /// Sets the maximum number of documents of one field. 100 by default.
    #[must_use]
    pub fn max_page(mut self, documents: u32) -> Self {
        self.reads.max_page = documents;
        self
    }

    /// Says how long responses with documents of `T` may be cached: the header `Cache-Control` of the
    /// [endpoint](crate::http::GraphQl).
    ///
    /// ```
    /// use async_graphql::CacheControl;
    /// use fraiseql_runtime::TView;
    /// use fraiseql_graphql::{Query, Views};
    ///
    /// #[derive(TView)]
    /// struct Post { id: i64, title: String }
    ///
    /// fn query(pool: sqlx::PgPool) -> Query<(Post,)> {
    ///     let a_minute = CacheControl { public: true, max_age: 60 };
    ///     Views::new(pool).cache::<Post>(a_minute).into()
    /// }
    /// # fn main() {}
    /// ```
    ///
    /// A response with several root fields may be cached as long as each of them allows, and privately if
    /// one of them is private. With a root field that has no hint, it may not be cached: one of another
    /// view, or one of your own without async-graphql's `cache_control`. Nor may one with
    /// [fields of your own](crate::TvExtended) in documents, or with an error. Documents of a view with a
    /// tenant are always private. The schema needs the extension [`Prepared`](crate::Prepared).
    ///
    /// # Panics
    /// If `T` is not one of these views.
    #[must_use]
    pub fn cache<T: TView>(mut self, hint: CacheControl) -> Self {
        let view = T::VIEW;
        let mut members = V::members().into_iter();
        assert!(
            members.any(|member| member.handle.view.table == view.table),
            "`{}` has a cache hint, and is none of these views",
            view.shape.name
        );
        self.reads.cache.set(view, hint);
        self
    }

    /// Makes the views entities of a subgraph of Apollo Federation 2: see [`Federated`].
    ///
    /// ```
    /// use async_graphql::MergedObject;
    /// use fraiseql_runtime::TView;
    /// use fraiseql_graphql::{Federated, Views};
    ///
    /// #[derive(TView)]
    /// struct Post { id: i64, title: String }
    /// # #[derive(Default, async_graphql::SimpleObject)]
    /// # struct Own { version: i32 }
    ///
    /// #[derive(MergedObject)]
    /// struct Query(Federated<Views<(Post,)>>, Own);
    ///
    /// fn query(pool: sqlx::PgPool, own: Own) -> Query {
    ///     Query(Views::new(pool).federation(), own)
    /// }
    /// # fn main() {}
    /// ```
    #[must_use]
    pub const fn federation(self) -> Federated<Self> {
        Federated::new(self)
    }

    /// Adds the root field `node(id: ID!): Node`, which finds a document of any of these views that has a
    /// `global_id`: see [`WithNode`].
    ///
    /// # Panics
    /// If no view has a `global_id`, or one has it under another name than `id`; or if a view has the root
    /// field `node`.
    #[must_use]
    pub fn node(self) -> WithNode<Self> {
        WithNode::new(self)
    }

    pub(crate) const fn reads(&self) -> &Reads {
        &self.reads
    }
}

impl<V: ViewSet> Query<V> {
    /// Creates the query type, as [`Views::new`] does.
    ///
    /// # Panics
    /// If two views have root fields of the same name.
    #[must_use]
    pub fn new(readers: impl Into<Readers>) -> Self
    where
        V: UntenantedViews,
    {
        Views::new(readers).into()
    }

    /// Creates the query type for views with a tenant, as [`Views::scoped`] does.
    ///
    /// # Panics
    /// If two views have root fields of the same name.
    #[must_use]
    pub fn scoped<T: Key>(
        readers: impl Into<Readers>,
        tenant: impl Fn(&RequestData<'_>) -> async_graphql::Result<T> + Send + Sync + 'static,
    ) -> Self
    where
        V: ViewsOfTenant<T>,
    {
        Views::scoped(readers, tenant).into()
    }

    /// Creates the query type for operators, as [`Views::across_tenants`] does.
    ///
    /// # Panics
    /// If two views have root fields of the same name.
    #[must_use]
    pub fn across_tenants(readers: impl Into<Readers>) -> Self {
        Views::across_tenants(readers).into()
    }

    /// Says how long responses with documents of `T` may be cached, as [`Views::cache`] does.
    ///
    /// # Panics
    /// If `T` is not one of these views.
    #[must_use]
    pub fn cache<T: TView>(self, hint: CacheControl) -> Self {
        self.views.cache::<T>(hint).into()
    }

    /// Makes the views entities of a subgraph of Apollo Federation 2: see [`Federated`].
    #[must_use]
    pub const fn federation(self) -> Federated<Self> {
        Federated::new(self)
    }

    /// Adds the root field `node(id: ID!): Node`, as [`Views::node`] does.
    ///
    /// # Panics
    /// As [`Views::node`].
    #[must_use]
    pub fn node(self) -> WithNode<Self> {
        WithNode::new(self)
    }

    pub(crate) const fn views(&self) -> &Views<V> {
        &self.views
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
        allow_root::<Self>();
        register_object::<Self, V>(registry)
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

impl<V> fmt::Debug for Query<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Query").field("views", &self.views).finish()
    }
}

impl<V> fmt::Debug for Views<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names: Vec<_> = self.fields.keys().collect();
        names.sort();
        f.debug_struct("Views")
            .field("fields", &names)
            .field("max_page", &self.reads.max_page)
            .finish_non_exhaustive()
    }
}

/// In a merged object, only the fields count, and the type itself is not in the schema. It still
/// has to have a unique name.
impl<V: ViewSet> OutputType for Views<V> {
    fn type_name() -> Cow<'static, str> {
        let names: Vec<_> = V::members()
            .iter()
            .map(|member| member.handle.view.shape.type_name)
            .collect();
        Cow::Owned(format!("{}_Views", names.join("_")))
    }

    fn create_type_info(registry: &mut Registry) -> String {
        register_object::<Self, V>(registry)
    }

    async fn resolve(
        &self,
        ctx: &ContextSelectionSet<'_>,
        _field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        resolve_container(ctx, self).await
    }
}

fn register_object<T: OutputType, V: ViewSet>(registry: &mut Registry) -> String {
    // Registers `T` once, also if it is part of several objects.
    registry.create_output_type::<T, _>(MetaTypeId::Object, |registry| {
        let fields: IndexMap<_, _> = V::members()
            .iter()
            .flat_map(|member| definitions(registry, *member))
            .map(|field| (field.name.clone(), field))
            .collect();
        types::meta_object(&T::type_name(), std::any::type_name::<T>(), None, fields)
    })
}

impl<V: ViewSet> ObjectType for Views<V> {}

impl<V: ViewSet> ContainerType for Views<V> {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        // A merged object asks each of its objects for a field.
        let Some(field) = self.fields.get(ctx.item.node.name.node.as_str()) else {
            return Ok(None);
        };
        field.resolve_root(ctx, &self.reads).await.map(Some)
    }
}
